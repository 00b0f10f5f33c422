#!/usr/bin/env bash
# The model must find every fault planted in the kernel, and in what the tools do to it: each patch makes
# `--test model` fail. Some seconds each.
# Usage: run.sh [TEXT], only patches whose name contains TEXT; without it, found.csv is rewritten.
#
# Fails if a patch no longer applies, does not build, or is found by nothing.
cd "$(dirname "$0")/../../.."
. tests/planted.sh
target planted-model

model() { # model FLAG...
  (cd "$tree" && cargo test --quiet -p ptom --no-default-features --features std --test model "$@") >"$said" 2>&1
}
check() { # check NAME
  model --no-run || die "$1.patch does not build: $(grep -m 1 '^error' "$said")"
  if model; then missed; fi
  say "$1,$(sed -nE 's/^    ([a-z_]+)$/\1/p' "$said" | sort -u | tr '\n' ' ' | sed 's/ $//')"
}

model || die "the tests fail with nothing planted"
say fault,tests
each_patch tests/model/planted "${1:-}" check
finish tests/model/planted/found.csv "${1:-}"
