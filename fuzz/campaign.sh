#!/usr/bin/env bash
# Fuzzes every target, minimises the corpora, measures what they cover, and writes it down in spec/results/fuzz.md.
#
#   fuzz/campaign.sh MINUTES [TARGET...]     so many minutes in all, shared out by weight; 0 only measures
#
# Needs nightly with llvm-tools and cargo-fuzz. No sanitizer: nothing here is unsafe, and arithmetic that overflows
# panics, as assertions do. Coverage is that of the corpora alone, replayed by one test binary instead of by one binary
# a target (as `cargo fuzz coverage` does): the same bodies on the same files, built once.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

[ $# -gt 0 ] || { sed -n '4p' "$(basename "$0")" >&2; exit 2; }
# Where the binaries are is known here.
unset CARGO_TARGET_DIR
minutes=$1
shift
mapfile -t all < <(basename -s .rs fuzz_targets/*.rs)
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=("${all[@]}")
host=$(rustc -vV | sed -n 's/^host: //p')
work=target/campaign
mkdir -p "$work"

weight() {
    case $1 in
        lock_ops) echo 26 ;;
        conversation | service_ops) echo 16 ;;
        power_loss) echo 12 ;;
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
        share_code | limits) echo "-dict=dictionaries/$1.dict" ;;
        decode_*) echo "-dict=dictionaries/messages.dict" ;;
    esac
}

# One target for some seconds, on a copy of its corpus, which is then minimised into the place of the old.
fuzz() {
    local target=$1 seconds=$2 copy=$work/$1 binary=target/$host/release/$1
    rm -rf "$copy"
    mkdir -p "$copy/corpus" "$copy/least" "corpus/$target" "artifacts/$target"
    cp -r "corpus/$target/." "$copy/corpus"
    # shellcheck disable=SC2046
    "$binary" $(dictionary "$target") -max_len="$(longest "$target")" -len_control=0 -max_total_time="$seconds" -timeout=20 \
        -print_final_stats=1 -artifact_prefix="artifacts/$target/" "$copy/corpus" >"$copy/log" 2>&1 ||
        { tail -n 40 "$copy/log"; printf 'FOUND: see artifacts/%s\n' "$target"; exit 1; }
    # The vectors stay, and of what was found that which they do not cover.
    cp "corpus/$target/"vector-* "$copy/least" 2>/dev/null || true
    "$binary" -set_cover_merge=1 -max_len="$(longest "$target")" "$copy/least" "$copy/corpus" >"$copy/merge.log" 2>&1
    rm -rf "corpus/$target"
    cp -r "$copy/least" "corpus/$target"
}

measure() {
    local rust bin profiles=$PWD/$work/profiles
    rust=$(rustc +nightly --print sysroot)
    bin=$rust/lib/rustlib/$host/bin
    rm -rf "$profiles"
    local tests test=(cargo +nightly test --locked --no-default-features --features rustcrypto --lib)
    export RUSTFLAGS=-Cinstrument-coverage CARGO_TARGET_DIR=$PWD/target/coverage
    # What build scripts leave is not asked for.
    LLVM_PROFILE_FILE=$PWD/$work/build.profraw "${test[@]}" --no-run
    SHAREKEY_SEEDS=write LLVM_PROFILE_FILE=$PWD/$work/build.profraw "${test[@]}" every_vector >/dev/null
    # libFuzzer names a file by its hash: what a vector is too need not be there twice.
    sha1sum corpus/*/vector-* | while read -r hash vector; do rm -f "$(dirname "$vector")/$hash"; done
    LLVM_PROFILE_FILE=$profiles/%p-%m.profraw "${test[@]}" >"$work/replay.log"
    unset RUSTFLAGS CARGO_TARGET_DIR
    tests=$(find target/coverage/debug/deps -name 'sharekey_fuzz-*' -executable -type f -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d' ' -f2)
    "$bin/llvm-profdata" merge -sparse "$profiles"/*.profraw -o "$work/all.profdata"
    "$bin/llvm-cov" export -format=lcov -instr-profile="$work/all.profdata" "$tests" --sources ../src >"$work/all.lcov"
}

if [ "$minutes" != 0 ]; then
    cargo +nightly fuzz build --fuzz-dir . -s none
    sum=0
    for target in "${targets[@]}"; do sum=$((sum + $(weight "$target"))); done
    for target in "${targets[@]}"; do
        seconds=$((minutes * 60 * $(weight "$target") / sum))
        printf '%s: %d s\n' "$target" "$seconds"
        fuzz "$target" "$((seconds > 0 ? seconds : 1))"
    done
fi

measure
python3 report.py "$work" ../spec/results/fuzz.md
