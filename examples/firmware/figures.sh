#!/usr/bin/env bash
# Measures the first board's firmware, and fails where a gate is missed (host/src/gates.rs). Prints a page of Markdown:
# flash and what it is taken for, places that may panic, stack, instructions, RAM, and flash writes a year.
# benches/RESULTS-firmware.md keeps the last of them. With --gates only what the gates are about, which is quicker.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# The host is run from another folder, so this is said from the root of the disk.
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
built=$target/thumbv7em-none-eabi/release
images=$target/figures
mkdir -p "$images"

# One build after the other in the same directory: only the last step of each differs, and what is there stays.
image() {
    local name=$1 from=$2
    shift 2
    cargo build --locked --release --quiet --bin "$from" "$@" >&2
    cp "$built/$from" "$images/$name"
}
image quiet lock --no-default-features --features mps2
image measured lock --features figures
image lock lock
image bare bare

# From the root of the repository, out of reach of this folder's configuration.
cd ../..
cargo run --locked --quiet -p sharekey-firmware-host -- "${1:---figures}" "$images"
