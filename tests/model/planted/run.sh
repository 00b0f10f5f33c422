#!/usr/bin/env bash
# The model must find every fault planted in the kernel: each patch makes `--test model` fail. A minute each.
set -euo pipefail
cd "$(dirname "$0")/../../.."
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git archive HEAD | tar -x -C "$copy"
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target/planted-model}
for patch in tests/model/planted/*.patch; do
  name=$(basename "$patch" .patch)
  (cd "$copy" && patch -s -p1) <"$patch"
  if ! (cd "$copy" && cargo test -q -p ptom --no-default-features --features std --test model --no-run); then
    echo "$name: does not compile"
    exit 1
  fi
  if (cd "$copy" && cargo test -q -p ptom --no-default-features --features std --test model) >"$copy/found" 2>&1; then
    echo "$name: NOT FOUND"
    exit 1
  fi
  echo "$name: found: $(grep -m1 -A1 'seed .*: Test failed' "$copy/found" | tr '\n' ' ')"
  (cd "$copy" && patch -s -R -p1) <"$patch"
done
