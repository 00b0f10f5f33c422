#!/usr/bin/env bash
# Breaks one rule of the simulated hypervisor at a time, in a copy of the tree, and asks which recorded
# rows of the real one, and which tests beside them, see it.
# Usage: run.sh [TEXT], only patches whose name contains TEXT; without it, found.csv is rewritten.
#
# Fails if a patch no longer applies, does not build, or is seen by nothing.
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$0")/../../.."
only=${1:-}
here=$PWD
patches=$here/tests/truth/planted

tree=$(mktemp -d)
said=$(mktemp)
rows=$(mktemp)
trap 'rm -rf "$tree" "$said" "$rows"' EXIT
git ls-files -z | xargs -0 cp --parents -t "$tree"
# One target directory for all, not optimised: what a patch touches is compiled again and run once.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$here/target}/planted-xen
export CARGO_INCREMENTAL=1 CARGO_PROFILE_TEST_OPT_LEVEL=0 CARGO_PROFILE_TEST_DEBUG=0
# The patches are applied here, whatever repository the temporary directory may lie in.
export GIT_CEILING_DIRECTORIES=${tree%/*}

die() {
  echo "planted: $*" >&2
  exit 1
}
vectors() { # vectors FLAG...
  (cd "$tree" && cargo test --quiet -p ptom --no-default-features --features std --test vectors "$@") >"$said" 2>&1
}
list() { # list PATTERN REPLACEMENT: what matches, in one field
  sed -nE "s/$1/$2/p" "$said" | sort -u | tr '\n' ' ' | sed 's/ $//'
}
say() {
  tee -a "$rows" <<<"$1"
}

vectors || die "the tests fail with nothing planted"
say fault,rows,tests
missed=0
for patch in "$patches"/*.patch; do
  name=$(basename "$patch" .patch)
  case $name in *"$only"*) ;; *) continue ;; esac
  touched=$(sed -n 's|^+++ b/||p' "$patch")
  (cd "$tree" && git apply --unidiff-zero "$patch") || die "$name.patch no longer applies"
  for file in $touched; do
    cmp -s "$file" "$tree/$file" && die "$name.patch changes nothing in $file"
  done
  vectors --no-run || die "$name.patch does not build: $(grep -m 1 '^error' "$said")"
  if vectors; then missed=$((missed + 1)); fi
  seen=$(list '^(vectors-[a-z0-9]+)\.jsonl ([A-Z][0-9]*) .*' '\1\/\2')
  say "$name,${seen//vectors-/},$(list '^    ([a-z_:0-9]+)$' '\1')"
  for file in $touched; do cp "$file" "$tree/$file"; done
done
[ "$missed" = 0 ] || die "$missed faults were seen by nothing"
if [ -z "$only" ]; then cp "$rows" "$patches/found.csv" && chmod 644 "$patches/found.csv"; fi
