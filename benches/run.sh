#!/usr/bin/env bash
# Every bench, and benches/RESULTS.md made anew from what they print: about 10 minutes on 2 quiet cores once all is
# built. `--quick` takes fewer rounds and leaves criterion out. Timings want a machine that does nothing else.
#
# Instruction counts need valgrind and `cargo install --locked gungraun-runner@0.20.0`; without them that part keeps
# what the file says.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

quick=()
[ "${1:-}" != --quick ] || quick=(--quick)
load=$(cut -d ' ' -f 1-3 /proc/loadavg)
# Each bench runs in the folder of its package, so this is said from the root of the disk.
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
out=$target/bench-tables
rm -rf "$out"
mkdir -p "$out" benches/plots
export SHAREKEY_BENCH_OUT=$out CARGO_TARGET_DIR=$target

benches=(cargo bench --locked -p sharekey-benches)
# They draw into benches/plots, as seen from their own folder.
peers() { (cd benches/peers && CARGO_TARGET_DIR=$target/peers cargo run --release --locked -- "$@"); }

# All is built before anything is timed.
"${benches[@]}" --no-run
peers --help > /dev/null

"${benches[@]}" --bench gates -- "${quick[@]}"
"${benches[@]}" --bench scale -- "${quick[@]}"
peers --chart "${quick[@]}"

# The same gates with everything that this machine's processor has, which the providers' portable builds find out at
# run time only in part. In a folder of its own, so that it spoils no other build.
SHAREKEY_BENCH_OUT=$out/native RUSTFLAGS='-C target-cpu=native' CARGO_TARGET_DIR=$target/native \
    "${benches[@]}" --bench gates -- "${quick[@]}"
for table in paths gates; do
    mv "$out/native/$table.md" "$out/native-$table.md"
done

if command -v valgrind > /dev/null && command -v gungraun-runner > /dev/null; then
    cargo run --release --locked -p sharekey-instructions
fi

if [ ${#quick[@]} -eq 0 ]; then
    "${benches[@]}" --bench verify
    "${benches[@]}" --bench scale -- --curves
    plots=$target/criterion
    cp "$plots/grant/report/violin.svg" benches/plots/grant.svg
    cp "$plots/contact, looked up/report/lines.svg" benches/plots/contacts.svg
fi

{
    printf '| | |\n|---|---|\n'
    printf '| date | %s |\n' "$(date -u +%Y-%m-%d)"
    printf '| commit | %s |\n' "$(git rev-parse --short HEAD)"
    printf '| processor | %s, %s cores |\n' "$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)" "$(nproc)"
    printf '| load before | %s |\n' "$load"
    printf '| compiler | %s |\n' "$(rustc --version)"
    printf '| run | %s |\n' "benches/run.sh${quick:+ --quick}"
    cargo tree --locked -p sharekey --all-features -e normal --depth 1 --prefix none --format '{p}' |
        awk '$1 ~ /^(ring|ed25519-dalek|hmac|sha2|postcard)$/ { print "| " $1 " | " substr($2, 2) " |" }'
} > "$out/machine.md"

# Puts each table between its markers.
awk -v out="$out" '
    /^<!-- begin / { print; file = out "/" $3 ".md"; kept = (getline line < file) <= 0
                     if (!kept) { print ""; do print line; while ((getline line < file) > 0); print ""; close(file) } skip = !kept; next }
    /^<!-- end /   { skip = 0 }
    !skip          { print }
' benches/RESULTS.md > "$out/RESULTS.md"
cp "$out/RESULTS.md" benches/RESULTS.md
