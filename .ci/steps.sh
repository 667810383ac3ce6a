# The steps that the loops share. Sourced by `loop` and `run`, at the root of the repository.
# shellcheck shell=bash

export CARGO_TERM_COLOR=never

step() { printf '\n== %s (%d s; free: %s)\n' "$1" "$SECONDS" "$(df -h --output=avail . | tail -n 1 | tr -d ' ')"; }
fail() { printf 'FAILED: %s\n' "$1" >&2; exit 1; }

# What text can tell, in seconds.
texts() {
    step 'format'
    cargo fmt --all --check

    step 'no source file has more than 400 lines, a file of rules 475, and none includes another by its path'
    local long
    long=$(git ls-files -z '*.rs' | xargs -0 wc -l |
        awk '$2 != "total" && $1 > ($2 ~ "^tests/(lock|roles)/" ? 475 : 400)')
    [ -z "$long" ] || fail "$long"
    if git grep -nE '^ *#\[path|include!\(' -- '*.rs'; then fail 'code that is shared by text'; fi

    step 'no committed file names a path of somebody'"'"'s machine'
    # This directory names the patterns, so it is left out.
    if git grep -nIE '/(work|root|home/[a-z]+|Users/[A-Za-z]+)/' -- . ':!.ci'; then fail 'paths of a machine'; fi

    step 'spec: each requirement is one numbered sentence, each number is there once'
    awk 'BEGIN { RS = ""; bad = 0 }
        {
            text = $0
            gsub(/"MUST( NOT)?"/, "", text)
            musts = gsub(/MUST/, "&", text)
            if (match(text, /^[A-Z][A-Z][A-Z]-[0-9]+\. /)) {
                id = substr(text, 1, RLENGTH - 2)
                sentence = substr(text, RLENGTH + 1)
                if (seen[id]++) { print id " is there twice"; bad = 1 }
                if (musts != 1) { print id " has " musts " MUST"; bad = 1 }
                if (sentence ~ /\.[ \n]/ || sentence !~ /\.$/) { print id " is not one sentence"; bad = 1 }
            } else if (musts) { print "a MUST without a number: " text; bad = 1 }
        }
        END { exit bad }' spec/protocol.md || fail 'spec/protocol.md'

    step 'every planted fault still fits the code'
    local fault
    for fault in spec/mutants/*.patch; do git apply --check "$fault" || fail "$fault"; done

    step 'pages: every link and every path that they name is there'
    .ci/links --control
    .ci/links

    step 'rooms: each knows only those that ARCHITECTURE.md says it may'
    .ci/rooms --control
    .ci/rooms

    step 'lock files: what the library is made of is of one version in all of them'
    .ci/locks --control
    .ci/locks
}

traceability() {
    step 'spec: each requirement has its code and its test, or a reason'
    if command -v duvet >/dev/null || [ -x "${CARGO_HOME:-$HOME/.cargo}/bin/duvet" ]; then
        .ci/traceability --control
        .ci/traceability
    else
        [ "${CI:-}" != true ] || fail 'there is no duvet'
        printf 'NOT RUN: needs duvet (cargo install --locked duvet@0.4.3)\n'
    fi
}

# A lint that warns, fails. The fuzz targets' binaries need nightly; their bodies are looked at here.
lint() {
    # The service has a step of its own in `run`: what it is made of takes minutes to compile, and nothing else needs it.
    step 'clippy, all targets'
    cargo clippy --locked --workspace --exclude secrets --exclude sharekey-service --all-targets --features sharekey-roles/rustcrypto -- -D warnings
    step 'clippy, the library alone, with and without'
    cargo clippy --locked -p sharekey --all-features -- -D warnings
    cargo clippy --locked -p sharekey --no-default-features -- -D warnings
    cargo clippy --locked -p sharekey --no-default-features --features alloc -- -D warnings
}

# The lock's rules against the library as a microcontroller has it.
without_allocator() {
    step 'tests of the library without an allocator'
    cargo test --locked -p sharekey-lock-rules --no-default-features --features rustcrypto
}
