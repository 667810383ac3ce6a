#!/usr/bin/env bash
# Fuzzes each target for so many seconds (1 unless told) from its corpus, and keeps nothing but what fails. For CI; the
# long search is campaign.sh. Needs nightly and cargo-fuzz.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# Where the binaries are is known here.
unset CARGO_TARGET_DIR
seconds=${1:-1}
host=$(rustc -vV | sed -n 's/^host: //p')
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cargo +nightly fuzz build --fuzz-dir . -s none
for source in fuzz_targets/*.rs; do
    target=$(basename -s .rs "$source")
    mkdir -p "artifacts/$target" "$scratch/$target"
    "target/$host/release/$target" -seed=1 -max_total_time="$seconds" -timeout=20 -artifact_prefix="artifacts/$target/" \
        "$scratch/$target" "corpus/$target" >"$scratch/log" 2>&1 ||
        { tail -n 40 "$scratch/log"; printf 'FOUND: see fuzz/artifacts/%s\n' "$target"; exit 1; }
    printf '%s: %s\n' "$target" "$(grep '^Done' "$scratch/log")"
done
