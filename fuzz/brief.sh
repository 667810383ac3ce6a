#!/usr/bin/env bash
# Fuzzes each target for so many seconds (1 unless told) from its corpus, and keeps nothing but what fails. For CI; the
# long search is campaign.sh.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=fuzz/build.sh
. fuzz/build.sh

seconds=${1:-1}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"$corpus" unpack "$scratch" "${all[@]}"
for target in "${all[@]}"; do
    mkdir -p "fuzz/artifacts/$target" "$scratch/$target/new"
    SHAREKEY_TARGET=$target "$fuzzer" -seed=1 -max_total_time="$seconds" -timeout=20 \
        -artifact_prefix="fuzz/artifacts/$target/" "$scratch/$target/"{new,seeds,found} >"$scratch/log" 2>&1 ||
        { tail -n 40 "$scratch/log"; printf 'FOUND: see fuzz/artifacts/%s\n' "$target"; exit 1; }
    printf '%s: %s\n' "$target" "$(grep '^Done' "$scratch/log")"
done
