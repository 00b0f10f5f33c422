#!/usr/bin/env bash
# Each patch plants a fault into `percpu_rseq`: `--test rseq` or `--test machine_code` must fail, or hang. Some minutes.
set -euo pipefail
cd "$(dirname "$0")/../../.."
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git archive HEAD | tar -x -C "$copy"
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}/planted-rseq
run() { # run ARGUMENT...
  (cd "$copy" && cargo test -q --no-fail-fast -p ptom --features conformance --test rseq --test machine_code "$@")
}
for patch in tests/rseq/planted/*.patch; do
  name=$(basename "$patch" .patch)
  (cd "$copy" && patch -s -p1) <"$patch"
  if ! run --no-run; then
    echo "$name: does not compile"
    exit 1
  fi
  if (export -f run; export copy; timeout 120 bash -c run) >"$copy/found" 2>&1; then
    echo "$name: NOT FOUND"
    exit 1
  fi
  echo "$name: found: $(sed -n 's/ --- FAILED$//p' "$copy/found" | tr '\n' ' ')"
  (cd "$copy" && patch -s -R -p1) <"$patch"
done
