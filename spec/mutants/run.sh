#!/usr/bin/env bash
# The mutation bar: plants each fault of this directory, one at a time, in a copy of the last commit, and
# runs the checks that have to catch it. Says which one did.
#
#   spec/mutants/run.sh             all faults
#   spec/mutants/run.sh NAME...     these
#
# A fault is NAME.patch: what is wrong, the checks that should notice, first the quickest, and the change. A check is
# a folder of tests/, and after `::` one of the modules there. Where none of them notices, all tests run. Exits 1 if
# a fault was missed, does not apply, or does not compile. The copy is under target/mutants, outside the package:
# nothing planted is ever in the crate.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
place=${MUTANTS_DIR:-$root/target/mutants}
copy=$place/copy
export CARGO_TARGET_DIR=$place/build
# A model checker or a proptest that fails need not be shrunk to the end.
export PROPTEST_MAX_SHRINK_ITERS=64 CARGO_TERM_COLOR=never

rm -rf "$copy"
mkdir -p "$place"
git clone --quiet --shared "$root" "$copy"
cd "$copy"

faults=("$@")
if [ ${#faults[@]} -eq 0 ]; then
    for patch in "$here"/*.patch; do faults+=("$(basename "$patch" .patch)"); done
fi

# Runs tests: 0 they pass, 1 a test failed, 2 they did not come to an end (they do not compile, or took too long).
tests() {
    local limit=$1
    shift
    timeout "$limit" cargo test --quiet --locked "$@" >"$log" 2>&1 && return 0
    grep -q '^test result: FAILED' "$log" && return 1
    return 2
}

# The same for a check, which has to have a test at all.
check() {
    local package filter=()
    package=$(sed -n 's/^name = "\(.*\)"/\1/p' "tests/${1%%::*}/Cargo.toml" | head -n 1)
    [ "$1" = "${1#*::}" ] || filter=("${1#*::}::")
    # What is looked at there is what is optimised as what ships is.
    [ "$package" != secrets ] || package+=" --profile secrets"
    # shellcheck disable=SC2086 # a word and its option
    tests 900 --package $package -- "${filter[@]}" || return
    grep -q '^test result: ok. [1-9]' "$log" || return 2
}

# Unharmed, every check passes: a fault is not caught by a check that fails anyway.
mapfile -t all < <(for name in "${faults[@]}"; do sed -n 's/^Check: //p' "$here/$name.patch"; done | tr ' ' '\n' | sort -u)
printf 'without a fault: %s\n' "${all[*]}"
log=$place/unharmed.log
for name in "${all[@]}"; do
    check "$name" || { printf 'FAILED without a fault: %s, see %s\n' "$name" "$log"; exit 1; }
done

# Which check of the list notices the fault: the first that fails. Else the whole suite, where that passed unharmed.
caught_by() {
    local check state
    for check in "$@"; do
        state=0
        check "$check" || state=$?
        case $state in
            1) printf 'caught by %s' "$check"; return ;;
            2) printf 'BROKEN: %s does not end' "$check"; return ;;
        esac
    done
    state=0
    tests 3600 --no-fail-fast || state=$?
    case $state in
        0) printf 'MISSED' ;;
        1) printf 'caught by another test: %s' "$(sed -n 's/^    \([a-z][a-z0-9_:]*\)$/\1/p' "$log" | head -1)" ;;
        2) printf 'BROKEN: the tests do not end' ;;
    esac
}

caught=0 missed=0 broken=0
for name in "${faults[@]}"; do
    log=$place/$name.log
    patch=$here/$name.patch
    if ! git apply "$patch" 2>"$log"; then
        verdict='BROKEN: does not apply'
    elif ! cargo check --quiet --locked --package sharekey --all-features >"$log" 2>&1; then
        verdict='BROKEN: does not compile'
    else
        read -ra checks < <(sed -n 's/^Check: //p' "$patch")
        verdict=$(caught_by "${checks[@]}")
    fi
    case $verdict in
        caught*) caught=$((caught + 1)) ;;
        MISSED) missed=$((missed + 1)) ;;
        *) broken=$((broken + 1)) ;;
    esac
    printf '%-36s %s\n' "$name" "$verdict"
    git checkout --quiet .
done

printf '\n%d faults, %d caught, %d missed, %d broken\n' "${#faults[@]}" "$caught" "$missed" "$broken"
[ "$missed" -eq 0 ] && [ "$broken" -eq 0 ]
