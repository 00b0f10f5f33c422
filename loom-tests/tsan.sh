#!/usr/bin/env bash
# ThreadSanitizer over the stress on plain memory: each scheme of ours must give no report; the control,
# and every scheme on a machine whose accesses order nothing, must give one.
# Usage: tsan.sh [HOLDS], of each run, of which there are four a scheme; 500000 if nothing is said. (A
# tenth of it shows nothing on a fast CPU: reader and suspender hardly meet.) Or tsan.sh --build, which only builds it.
#
# It knows no fences (see src/conformance/native/plain.rs): a missing one is not seen. And one run in
# about five reports nothing where there is something, so one run is not enough.
set -euo pipefail
cd "$(dirname "$0")/.."
holds=${1:-500000}
seeds="1 2 3 4"

target=$(rustc -vV | sed -n 's/^host: //p')
# A flag that stable rustc keeps to itself; std is not instrumented, which rustc must be told is meant.
export RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer"
target_dir=${CARGO_TARGET_DIR:-target}/tsan
cargo build --quiet --release -p loom-tests --bin proof --target "$target" --target-dir "$target_dir"
if [ "$holds" = --build ]; then exit; fi
proof=$target_dir/$target/release/proof

# The registry says which schemes there are, and which is the control.
rows=$(TSAN_OPTIONS=report_bugs=0 "$proof" plain --holds 1)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
surprises=0
echo scheme,holds,runs,reports,expected,verdict
while IFS=, read -r scheme _ _ _ _ _ _ _ _ _ expected; do
  reports=0 runs=0 verdict=pass
  for seed in $seeds; do
    runs=$((runs + 1))
    TSAN_OPTIONS="exitcode=0 history_size=4" \
      "$proof" plain --holds "$holds" --seed "$seed" "$scheme" >/dev/null 2>"$log" || verdict=broken
    reports=$(grep -c 'WARNING: ThreadSanitizer: data race' "$log" || true)
    # A crash, or a complaint of another kind, is neither a pass nor the report that is looked for.
    if grep -v 'data race' "$log" | grep -q -e '\(WARNING\|ERROR\|FATAL\): Thread' -e panicked; then verdict=broken; fi
    if [ "$reports" != 0 ] && [ "$verdict" = pass ]; then verdict=fail; fi
    if [ "$verdict" != pass ]; then break; fi
  done
  if [ "$verdict" != "$expected" ]; then
    surprises=$((surprises + 1))
    cat "$log" >&2
  fi
  echo "$scheme,$holds,$runs,$reports,$expected,$verdict"
done < <(tail -n +2 <<<"$rows")
exit "$((surprises > 0))"
