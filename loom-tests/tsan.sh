#!/usr/bin/env bash
# ThreadSanitizer over the stress on plain memory: each scheme of ours must give no report, the control
# must give one. Usage: tsan.sh [HOLDS], of each scheme; 1000000 if nothing is said.
#
# It knows no fences (see src/conformance/native/plain.rs): a missing one is not seen.
set -euo pipefail
cd "$(dirname "$0")/.."
holds=${1:-1000000}

target=$(rustc -vV | sed -n 's/^host: //p')
# A flag that stable rustc keeps to itself; std is not instrumented, which rustc must be told is meant.
export RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer"
target_dir=${CARGO_TARGET_DIR:-target}/tsan
cargo build --quiet --release -p loom-tests --bin stress --target "$target" --target-dir "$target_dir"
stress=$target_dir/$target/release/stress

# The registry says which schemes there are, and which is the control.
rows=$(TSAN_OPTIONS=report_bugs=0 "$stress" --plain --holds 1 --seed 1 || true)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
surprises=0
echo scheme,holds,reports,expected,verdict
while IFS=, read -r scheme _ _ _ _ _ _ _ _ _ expected; do
  TSAN_OPTIONS=exitcode=0 "$stress" --plain --holds "$holds" --seed 1 "$scheme" >/dev/null 2>"$log" || true
  reports=$(grep -c 'WARNING: ThreadSanitizer: data race' "$log" || true)
  # Anything else that it complains of, or a crash, is no pass.
  other=$(grep -c -e 'ThreadSanitizer:' -e panicked "$log" || true)
  verdict=pass
  if [ "$((reports + other))" != 0 ]; then verdict=fail; fi
  if [ "$verdict" != "$expected" ]; then
    surprises=$((surprises + 1))
    cat "$log" >&2
  fi
  echo "$scheme,$holds,$reports,$expected,$verdict"
done < <(tail -n +2 <<<"$rows")
exit "$((surprises > 0))"
