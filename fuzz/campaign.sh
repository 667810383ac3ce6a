#!/usr/bin/env bash
# Fuzzes every target, minimises the corpora, measures what they cover, and writes it down in spec/results/fuzz.md.
#
#   fuzz/campaign.sh MINUTES [TARGET...]     so many minutes in all, shared out by weight; 0 only measures
#
# Needs nightly with llvm-tools, and cargo-fuzz. Coverage is that of the corpora alone, replayed by one test binary
# (and not by `cargo fuzz coverage`): the same bodies on the same inputs, built once.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

[ $# -gt 0 ] || { sed -n '4p' "${BASH_SOURCE[0]}" >&2; exit 2; }
minutes=$1
shift
targets=("$@")
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
work=$CARGO_TARGET_DIR/campaign
mkdir -p "$work"

weight() {
    case $1 in
        lock_ops) echo 26 ;;
        conversation | service_ops) echo 16 ;;
        door | power_loss) echo 12 ;;
        providers | slot_line) echo 4 ;;
        share_code | limits) echo 2 ;;
        *) echo 1 ;;
    esac
}

longest() {
    case $1 in
        lock_ops | service_ops | decode_share_record | decode_owner_view) echo 4096 ;;
        conversation | limits) echo 96 ;;
        *) echo 640 ;;
    esac
}

dictionary() {
    case $1 in
        share_code | limits) echo "-dict=fuzz/dictionaries/$1.dict" ;;
        decode_*) echo "-dict=fuzz/dictionaries/messages.dict" ;;
    esac
}

# The fewest inputs that reach, beside those of the first folder, every edge that the second's reach; into the first.
# How often an edge is passed does not count: `cargo test` replays what stays.
minimise() {
    "$fuzzer" -set_cover_merge=1 -use_counters=0 -max_len=4096 "$@"
}

# One target for some seconds, on its corpus, which is then minimised into the place of the old.
fuzz() {
    local target=$1 seconds=$2 copy=$work/$1
    export SHAREKEY_TARGET=$target
    rm -rf "$copy"
    "$corpus" unpack "$work" "$target"
    mkdir -p "$copy/quick" "fuzz/artifacts/$target"
    # shellcheck disable=SC2046
    "$fuzzer" $(dictionary "$target") -max_len="$(longest "$target")" -len_control=0 -max_total_time="$seconds" -timeout=20 \
        -print_final_stats=1 -artifact_prefix="fuzz/artifacts/$target/" "$copy/"{found,seeds} >"$copy/log" 2>&1 ||
        { tail -n 40 "$copy/log"; printf 'FOUND: see fuzz/artifacts/%s\n' "$target"; exit 1; }
    # The seeds first: of what was found stays what they do not reach. Then what is quick: a lease that is used up takes
    # as long as everything else.
    if [ "$target" = lock_ops ]; then
        for input in "$copy/found/"*; do
            if timeout 0.1 "$fuzzer" "$input" >"$copy/quick.log" 2>&1; then mv "$input" "$copy/quick"; fi
        done
    fi
    minimise "$copy/"{seeds,quick} >"$copy/merge.log" 2>&1
    minimise "$copy/"{seeds,found} >>"$copy/merge.log" 2>&1
    "$corpus" pack "$target" "$copy/seeds"
}

measure() {
    local bin profiles=$work/profiles built tests
    bin=$(rustc +nightly --print sysroot)/lib/rustlib/$(rustc -vV | sed -n 's/^host: //p')/bin
    rm -rf "$profiles"
    # What build scripts leave is not asked for.
    built=$(RUSTFLAGS=-Cinstrument-coverage CARGO_TARGET_DIR=$work/coverage LLVM_PROFILE_FILE=$work/build.profraw \
        cargo +nightly test --locked -p sharekey-fuzz --features rustcrypto --lib --no-run --message-format=json)
    tests=$(sed -n 's/.*"executable":"\([^"]*sharekey_fuzz[^"]*\)".*/\1/p' <<<"$built")
    LLVM_PROFILE_FILE=$profiles/%p-%m.profraw "$tests" >"$work/replay.log"
    "$bin/llvm-profdata" merge -sparse "$profiles"/*.profraw -o "$work/all.profdata"
    "$bin/llvm-cov" export -format=lcov -instr-profile="$work/all.profdata" "$tests" --sources src >"$work/all.lcov"
}

rm -f "$work"/*/log
if [ "$minutes" != 0 ]; then
    # shellcheck source=fuzz/build.sh
    . fuzz/build.sh
    [ ${#targets[@]} -gt 0 ] || targets=("${all[@]}")
    sum=0
    for target in "${targets[@]}"; do sum=$((sum + $(weight "$target"))); done
    for target in "${targets[@]}"; do
        seconds=$((minutes * 60 * $(weight "$target") / sum))
        printf '%s: %d s\n' "$target" "$seconds"
        fuzz "$target" "$((seconds > 0 ? seconds : 1))"
    done
fi

measure
fuzz/report.py "$work" spec/results/fuzz.md
