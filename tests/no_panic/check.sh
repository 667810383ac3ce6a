#!/usr/bin/env bash
# Does everything that a lock decodes and decides link without a panic? And would it be noticed if not?
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# The optimiser settles early, before some checks are seen to be needless, whether a function that it did
# not inline can panic; so it is told to inline more.
build() { cargo rustc --locked --release "$@" -- -C llvm-args=-inline-threshold=3000; }
program=${CARGO_TARGET_DIR:-target}/release/sharekey-no-panic

build
answers=$(printf 'SK\001\005' | "$program")
printf '%s\n' "$answers"
grep -q '^answers: Some(Some(' <<<"$answers" || { echo 'FAILED: the lock was not reached' >&2; exit 1; }

if log=$(build --features control 2>&1); then
    echo 'FAILED: the control, which can panic, links: this check sees nothing' >&2
    exit 1
fi
# Nothing but the control is to be named.
named=$(grep -o 'detected panic in function `[a-z_]*`' <<<"$log" | sort -u)
[ "$named" = 'detected panic in function `control`' ] || { printf '%s\nFAILED: %s\n' "$log" "$named" >&2; exit 1; }
echo 'no panic in any wrapped function; the control, which can panic, does not link'
