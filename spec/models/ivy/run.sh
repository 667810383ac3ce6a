#!/usr/bin/env bash
# Checks the Ivy model: its invariants, that its good runs exist, and that every broken rule is noticed.
#   run.sh            all (about 9 minutes)
#   run.sh --quick    the model and its good runs (under a minute)
#   run.sh NAME...    these mutants
# Exit: 0 as expected, 1 a difference, 77 skipped because there is no Ivy.
set -u
cd "$(dirname "$0")" || exit 1
version=1.8.26
limit=${LIMIT:-600}                  # seconds for one check

find_ivy() {
    [ -n "${IVY_CHECK:-}" ] && { printf '%s\n' "$IVY_CHECK"; return; }
    command -v ivy_check && return
    local env="${IVY_ENV:-${TMPDIR:-/tmp}/sharekey-ivy-$version}" python=
    [ -x "$env/bin/ivy_check" ] && { printf '%s\n' "$env/bin/ivy_check"; return; }
    python=$(command -v python3.10) && "$python" -c '' 2>/dev/null || python=
    if [ -z "$python" ] && command -v pyenv >/dev/null; then
        python=$(ls -d "$(pyenv root)"/versions/3.10*/bin/python 2>/dev/null | head -n 1)
    fi
    [ -n "$python" ] || { echo "no Python 3.10 (ms-ivy $version has a wheel for it only)" >&2; return 1; }
    { "$python" -m venv "$env" && "$env/bin/pip" install --quiet "ms-ivy==$version"; } >"$work/install.out" 2>&1 \
        || { echo "ms-ivy $version could not be installed" >&2; return 1; }
    printf '%s\n' "$env/bin/ivy_check"
}

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
ivy=$(find_ivy 2>"$work/why") || { echo "SKIPPED  everything in spec/models/ivy: $(cat "$work/why")"; exit 77; }

differences=0
checks=0
began=$SECONDS

# check FILE: runs Ivy; afterwards $verdict is holds, fails or broken, $took the seconds
check() {
    local from=$SECONDS
    (cd "$work" && timeout "$limit" "$ivy" trace=false "$1.ivy" >"$1.out" 2>&1)
    took=$((SECONDS - from))
    checks=$((checks + 1))
    case $(tail -n 1 "$work/$1.out") in
        OK) verdict=holds ;;
        "error: failed checks: "*) verdict=fails ;;
        *) verdict=broken ;;
    esac
}

say() { # expected, got, text
    if [ "$1" = "$2" ]; then printf 'ok       %s\n' "$3"; else
        printf 'DIFFERS  %s: expected %s, got %s\n' "$3" "$1" "$2"
        differences=$((differences + 1))
    fi
}

# script MODEL NAME: the model without its invariants, and the script NAME run once after its beginning
script() {
    sed -e '/^export /d;/^# -* properties$/,$d' -e 's/^\( *\)require /\1assume /' "$1"
    awk '/^# SETTING/ {p = 1; next} /^# (ATTACK|POSSIBLE)/ {p = 0} p' attacks.ivy
    echo 'after init {'
    awk -v name="$2" '/^# (ATTACK|POSSIBLE) / {p = ($3 == name); next} p' attacks.ivy
    printf '}\naction nothing = {}\nexport nothing\n'
}

model() {
    cp sharekey.ivy "$work/model.ivy"
    check model
    say holds "$verdict" "sharekey.ivy: $(grep -c '^invariant' sharekey.ivy) invariants are inductive over $(grep -c '^export' sharekey.ivy) actions ($(grep -c PASS "$work/model.out") checks passed, $took s)"
    [ "$verdict" = holds ] || grep -E 'FAIL|error' "$work/model.out"
    for name in $(awk '/^# POSSIBLE/ {print $3}' attacks.ivy); do
        script sharekey.ivy "$name" >"$work/possible.ivy"
        check possible
        say fails "$verdict" "possible: $name ($took s)"
    done
}

mutant() {
    local name=$1 property=$2 what=$3 change=$4 lost attacked spared time
    sed "$change" sharekey.ivy >"$work/mutant.ivy"
    if cmp -s sharekey.ivy "$work/mutant.ivy"; then say changed unchanged "mutant $name"; return; fi
    check mutant; lost=$verdict; time=$took
    script sharekey.ivy "$name" >"$work/spared.ivy"
    check spared; spared=$verdict; time=$((time + took))
    script "$work/mutant.ivy" "$name" | sed '/PROPERTY/{'"$change"'
}' >"$work/attacked.ivy"
    check attacked; attacked=$verdict; time=$((time + took))
    say "fails fails holds" "$lost $attacked $spared" "mutant $name: not inductive, $property broken by its attack [$what] ($time s)"
}

mutants() { # names, or none for all
    while IFS='|' read -r name property what change; do
        name=${name// /} property=${property// /}
        case $name in '' | '#'*) continue ;; esac
        if [ $# -gt 0 ]; then case " $* " in *" $name "*) ;; *) continue ;; esac; fi
        what=${what# } what=${what% }
        mutant "$name" "$property" "$what" "${change# }"
    done <mutants.txt
}

case ${1:-} in
    --quick) model; echo "SKIPPED  the mutants: --quick" ;;
    '') model; mutants ;;
    *) mutants "$@" ;;
esac
echo "Ivy (ms-ivy $version): $checks checks, $differences differences, $((SECONDS - began)) s"
[ "$differences" -eq 0 ] && [ "$checks" -gt 0 ]
