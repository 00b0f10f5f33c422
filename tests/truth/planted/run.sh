#!/usr/bin/env bash
# Breaks one rule of the simulated hypervisor at a time, in a copy of the tree, and asks which recorded
# rows of the real one, and which tests beside them, see it.
# Usage: run.sh [TEXT], only patches whose name contains TEXT; without it, found.csv is rewritten.
#
# Fails if a patch no longer applies, does not build, or is seen by nothing.
cd "$(dirname "$0")/../../.."
. tests/planted.sh
# Not optimised: what is compiled is run once.
target planted-xen
export CARGO_PROFILE_TEST_OPT_LEVEL=0 CARGO_PROFILE_TEST_DEBUG=0

vectors() { # vectors FLAG...
  (cd "$tree" && cargo test --quiet -p ptom --no-default-features --features std --test vectors "$@") >"$said" 2>&1
}
list() { # list PATTERN REPLACEMENT: what matches, in one field
  sed -nE "s/$1/$2/p" "$said" | sort -u | tr '\n' ' ' | sed 's/ $//'
}
check() { # check NAME
  local seen
  vectors --no-run || die "$1.patch does not build: $(grep -m 1 '^error' "$said")"
  if vectors; then missed; fi
  seen=$(list '^(vectors-[a-z0-9]+)\.jsonl ([A-Z][0-9]*) .*' '\1\/\2')
  say "$1,${seen//vectors-/},$(list '^    ([a-z_:0-9]+)$' '\1')"
}

vectors || die "the tests fail with nothing planted"
say fault,rows,tests
each_patch tests/truth/planted "${1:-}" check
finish tests/truth/planted/found.csv "${1:-}"
