#!/usr/bin/env bash
# Checks the Promela model with spin: what must hold holds, and every broken rule is noticed.
#   run.sh               the hard cases (about 3 minutes)
#   run.sh --campaign    also the large ones (LIMIT seconds each, 3600 unless set)
# Exit: 0 as expected, 1 a difference, 77 skipped because there is no spin or no C compiler.
set -u
cd "$(dirname "$0")" || exit 1
for tool in spin "${CC:=gcc}"; do
    command -v "$tool" >/dev/null || { echo "SKIPPED  everything in spec/models/spin: no $tool (Debian: apt install spin gcc)"; exit 77; }
done
model=$PWD/slot.pml
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

differences=0 cases=0 skipped=0 began=$SECONDS

figure() { sed -nE "$1" out.txt | head -n 1; }

run() { # expected, kind, claim, what, definitions
    local expected=$1 kind=$2 claim=$3 what=$4 limit=300 verdict states depth from=$SECONDS
    local -a build=(-DSAFETY) search=()
    [ "$expected" = campaign ] && expected=holds limit=${LIMIT:-3600}
    [ "$kind" = progress ] && build=(-DNFAIR=3) search=(-a -f)
    rm -f pan pan.* out.txt
    # shellcheck disable=SC2086  # definitions are words
    if ! spin -a -DONLY="$claim" $5 "$model" >spin.txt 2>&1 || ! "$CC" -O2 -w "${build[@]}" -DCOLLAPSE -DMEMLIM=4096 -o pan pan.c; then
        verdict=broken
        cat spin.txt
    else
        timeout "$limit" ./pan -m2000000 "${search[@]}" >out.txt 2>&1
        case $?:$(figure 's/.*errors: ([0-9]+).*/\1/p') in
            124:*) verdict=unfinished ;;
            0:0) verdict=holds ;;
            0:[1-9]*) verdict=fails ;;
            *) verdict=broken ;;
        esac
        # a search that was cut short proves nothing
        [ "$verdict" = holds ] && grep -qE 'max search depth too small|out of memory|not completed' out.txt && verdict=unfinished
    fi
    states=$(figure 's/^ *([0-9.e+]+) states, stored.*/\1/p') depth=$(figure 's/.*depth reached ([0-9]+).*/\1/p')
    cases=$((cases + 1))
    if [ "$verdict" = "$expected" ]; then
        printf 'ok       %-8s %s [%s] (%s states, depth %s, %s s)\n' "$verdict" "$what" "$5" "$states" "$depth" $((SECONDS - from))
    else
        printf 'DIFFERS  %s [%s]: expected %s, got %s (%s states, depth %s, %s s)\n' "$what" "$5" "$expected" "$verdict" "${states:-?}" "${depth:-?}" $((SECONDS - from))
        grep -m 1 -E 'assertion violated|pan:1|acceptance cycle' out.txt
        tail -n 1 out.txt
        differences=$((differences + 1))
    fi
}

while IFS='|' read -r expected kind claim what definitions; do
    expected=${expected// /} kind=${kind// /} claim=${claim// /}
    case $expected in '' | '#'*) continue ;; esac
    what=${what# } what=${what% }
    if [ "$expected" = campaign ] && [ "${1:-}" != --campaign ]; then
        echo "SKIPPED  $what [${definitions# }]: needs --campaign"
        skipped=$((skipped + 1))
        continue
    fi
    run "$expected" "$kind" "$claim" "$what" "${definitions# }"
done <"${model%/*}/cases.txt"

echo "$(spin -V | head -n 1): $cases cases, $differences differences, $skipped skipped, $((SECONDS - began)) s"
[ "$differences" -eq 0 ] && [ "$cases" -gt 0 ]
