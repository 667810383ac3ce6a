# Sourced at the root of the repository: builds libFuzzer's binary and the tool of the corpora, and says where they are
# and which targets there are. Needs nightly and cargo-fuzz.
# shellcheck shell=bash disable=SC2034
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
host=$(rustc -vV | sed -n 's/^host: //p')
# No sanitizer: nothing here is unsafe, and arithmetic that overflows panics, as assertions do.
cargo +nightly fuzz build --fuzz-dir fuzz -s none --features libfuzzer any_target
fuzzer=$CARGO_TARGET_DIR/$host/release/any_target
cargo build --locked -p sharekey-fuzz --example corpus
corpus=$CARGO_TARGET_DIR/debug/examples/corpus
mapfile -t all < <("$corpus" list)
[ ${#all[@]} -gt 0 ]
