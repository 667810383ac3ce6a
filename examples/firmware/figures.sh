#!/usr/bin/env bash
# Prints the firmware's figures as a page of Markdown: flash, places that may panic, stack, instructions,
# RAM, and flash writes a year. benches/RESULTS-firmware.md keeps the last of them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# The host is run from another folder, so this is said from the root of the disk.
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
built=$target/thumbv7em-none-eabi/release
images=$target/figures
mkdir -p "$images"

# One build after the other in the same directory: only the last step of each differs.
image() {
    local name=$1 from=$2
    shift 2
    cargo build --locked --release --quiet --bin "$from" "$@" >&2
    cp "$built/$from" "$images/$name"
}
image bare bare
image quiet lock --no-default-features
image measured lock --features figures
image lock lock

# From the root of the repository, out of reach of this folder's configuration.
cd ../..
cargo run --locked --quiet -p sharekey-firmware-host -- --figures "$images"
