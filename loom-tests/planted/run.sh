#!/usr/bin/env bash
# Plants one fault at a time into a copy of the tree, and asks which check finds it: the models of that
# scheme, cheapest first, up to the first that fails; random schedules; the stress on this machine.
# Usage: run.sh [TEXT], only patches whose name contains TEXT; without it, results/planted.csv is
# rewritten. A row a patch, and one a scheme with nothing planted, which nothing may find.
#
# Fails if a patch no longer applies, does not build, or is found by nothing.
cd "$(dirname "$0")/../.."
. tests/planted.sh
only=${1:-}
patches=loom-tests/planted
models="exclusion/1 freshness/1 twice/1 joins/1 departs/1 rivals/0 nested/1 snapshot/1"
schedules=200
holds=2000000

target planted
# What is compiled again and again is not optimised: that would take most of the time.
export CARGO_PROFILE_RELEASE_DEBUG=0 CARGO_PROFILE_RELEASE_OPT_LEVEL=0
optimised='profile.release.package."*".opt-level=1'
bin=$CARGO_TARGET_DIR/release

build() { # build PATCH
  (cd "$tree" && cargo build --quiet --config "$optimised" -p loom-tests --release --bin proof) \
    >"$said" 2>&1 || die "$1 does not build: $(grep -m 1 '^error' "$said")"
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

row() { # row FAULT SCHEME
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

check() { # check NAME
  local found
  build "$1.patch"
  found=$(row "${1#*-}" "${1%%-*}")
  say "$found"
  case $found in *,*,,*) missed ;; esac
}

say fault,scheme,found_by,finding
build "the tree as it is"
for scheme in $(cd "$patches" && ls ./*.patch | sed 's|^\./||; s|-.*||' | sort -u); do
  case $scheme-none in *"$only"*) ;; *) continue ;; esac
  found=$(row none "$scheme")
  say "$found"
  [ "$found" = "none,$scheme,," ] || die "nothing was planted in $scheme, and something was found"
done
each_patch "$patches" "$only" check
finish results/planted.csv "$only"
