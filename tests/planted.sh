# What those who plant faults share: a copy of the tree, into which one patch at a time goes and out of which
# it comes again. To be sourced in the root of the tree; bash.
#
# `each_patch DIR TEXT CHECK` calls CHECK with the name of every patch in DIR whose name contains TEXT, while
# it is in the copy, `$tree`. CHECK says its rows with `say`, and `missed` if nothing saw the fault.
# `finish FILE TEXT` fails if one was missed, and keeps the rows in FILE if TEXT is empty.
#
# Fails if a patch no longer applies, or changes nothing.
set -euo pipefail
shopt -s inherit_errexit

here=$PWD
tree=$(mktemp -d)
said=$(mktemp)
rows=$(mktemp)
unseen=0
trap 'rm -rf "$tree" "$said" "$rows"' EXIT
git ls-files -z | xargs -0 cp --parents -t "$tree"
# The patches are applied here, whatever repository the temporary directory may lie in.
export GIT_CEILING_DIRECTORIES=${tree%/*}

# One target directory for all: what a patch touches is compiled again, and no more.
target() { # target NAME
  export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$here/target}/$1 CARGO_INCREMENTAL=1
}
die() {
  echo "planted: $*" >&2
  exit 1
}
say() {
  tee -a "$rows" <<<"$1"
}
missed() {
  unseen=$((unseen + 1))
}

each_patch() {
  local patch name file touched
  for patch in "$here/$1"/*.patch; do
    name=$(basename "$patch" .patch)
    case $name in *"$2"*) ;; *) continue ;; esac
    touched=$(sed -n 's|^+++ b/||p' "$patch")
    for file in $touched; do cp "$tree/$file" "$tree/$file.orig"; done
    (cd "$tree" && git apply --unidiff-zero "$patch") || die "$name.patch no longer applies"
    for file in $touched; do
      cmp -s "$tree/$file.orig" "$tree/$file" && die "$name.patch changes nothing in $file"
    done
    "$3" "$name"
    # Copied, not moved: cargo goes by the time of the last change.
    for file in $touched; do cp "$tree/$file.orig" "$tree/$file"; done
  done
}

finish() {
  [ "$unseen" = 0 ] || die "$unseen faults were seen by nothing"
  [ -z "$2" ] || return 0
  cp "$rows" "$here/$1"
  chmod 644 "$here/$1"
}
