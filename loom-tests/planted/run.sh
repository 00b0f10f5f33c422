#!/usr/bin/env bash
# Plants one fault at a time into a copy of the tree, and asks which check finds it: the models of that
# scheme, cheapest first, up to the first that fails; random schedules; the stress on this machine.
# Usage: run.sh [TEXT], only patches whose name contains TEXT; without it, results/planted.csv is
# rewritten. A row a patch, and one a scheme with nothing planted, which nothing may find.
#
# Fails if a patch no longer applies, does not build, or is found by nothing.
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$0")/../.."
only=${1:-}
here=$PWD
patches=$here/loom-tests/planted
models="exclusion/1 freshness/1 twice/1 joins/1 departs/1 rivals/0 nested/1 snapshot/1"
schedules=200
holds=2000000

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
git ls-files -z | xargs -0 cp --parents -t "$tree"
# One target directory for all: only what a patch touches is compiled again.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$here/target}/planted
# What is compiled again and again is not optimised: that would take most of the time.
export CARGO_INCREMENTAL=1 CARGO_PROFILE_RELEASE_DEBUG=0 CARGO_PROFILE_RELEASE_OPT_LEVEL=0
optimised='profile.release.package."*".opt-level=1'
# The patches are applied here, whatever repository the temporary directory may lie in.
export GIT_CEILING_DIRECTORIES=${tree%/*}
bin=$CARGO_TARGET_DIR/release

die() {
  echo "planted: $*" >&2
  exit 1
}

build() { # build PATCH
  (cd "$tree" && cargo build --quiet --config "$optimised" -p loom-tests --release --bin proof) \
    >"$tree.log" 2>&1 || die "$1 does not build: $(grep -m 1 '^error' "$tree.log")"
  rm -f "$tree.log"
}

# Each prints what it found, and nothing if it found nothing. What a checker gave up is no finding.
by_models() { # by_models SCHEME
  local model row
  for model in $models; do
    row=$("$bin/proof" record models "$1/$model" | tail -n +2 | sed 's/,[0-9.]*$//' || true)
    [ -n "$row" ] || die "$1 has no model $model"
    # Some schemes must fail some models, and then this says nothing.
    case $row in
      *,fail,pass,race:* | *,fail,pass,deadlock:* | *,fail,pass,assertion:*)
        echo "${model%/*},${row##*,fail,pass,}"
        return
        ;;
    esac
  done
}
by_schedules() { # by_schedules SCHEME
  local row
  row=$("$bin/proof" record schedules "schedules/$1/" --schedules "$schedules" 2>/dev/null | grep -m 1 ',fail,pass,' || true)
  [ -z "$row" ] || echo "random schedules,${row##*,fail,pass,}"
}
by_stress() { # by_stress SCHEME
  local row torn stale
  row=$(timeout 120 "$bin/proof" record stress "stress/$1" --holds "$holds" 2>/dev/null | grep "^$1," | grep ',fail,pass$' || true)
  [ -n "$row" ] || return 0
  IFS=, read -r _ _ _ _ _ torn stale _ <<<"$row"
  echo "stress,torn or stale: $([ "$torn$stale" != 00 ] && echo some)"
}

check() { # check FAULT SCHEME: one row
  local found by="" finding="" line
  found=$(by_models "$2" && by_schedules "$2" && by_stress "$2")
  while IFS= read -r line; do
    [ -n "$line" ] || continue
    by=${by:+$by; }${line%%,*}
    [ -n "$finding" ] || finding=${line#*,}
  done <<<"$found"
  finding=${finding//\"/}
  [ "${finding/,/}" = "$finding" ] || finding="\"$finding\""
  echo "$1,$2,$by,$finding"
}

rows=$(mktemp)
trap 'rm -rf "$tree" "$rows"' EXIT
say() {
  tee -a "$rows" <<<"$1"
}

say fault,scheme,found_by,finding
schemes=$(cd "$patches" && ls ./*.patch | sed 's|^\./||; s|-.*||' | sort -u)
build "the tree as it is"
for scheme in $schemes; do
  case $scheme-none in *"$only"*) ;; *) continue ;; esac
  row=$(check none "$scheme")
  say "$row"
  [ "$row" = "none,$scheme,," ] || die "nothing was planted in $scheme, and something was found"
done
missed=0
for patch in "$patches"/*.patch; do
  name=$(basename "$patch" .patch)
  case $name in *"$only"*) ;; *) continue ;; esac
  touched=$(sed -n 's|^+++ b/||p' "$patch")
  (cd "$tree" && git apply --unidiff-zero "$patch") || die "$name.patch no longer applies"
  for file in $touched; do
    cmp -s "$file" "$tree/$file" && die "$name.patch changes nothing in $file"
  done
  build "$name.patch"
  row=$(check "${name#*-}" "${name%%-*}")
  say "$row"
  case $row in *,*,,*) missed=$((missed + 1)) ;; esac
  for file in $touched; do cp "$file" "$tree/$file"; done
done
[ "$missed" = 0 ] || die "$missed faults were found by nothing"
if [ -z "$only" ]; then cp "$rows" results/planted.csv && chmod 644 results/planted.csv; fi
