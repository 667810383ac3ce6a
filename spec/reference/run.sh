#!/usr/bin/env bash
# All tests of the second implementation: its own, the test vectors, and those against the Rust crate.
# Needs Python 3.11 or later. SHAREKEY_PEER may name the crate's `peer`; without it cargo builds it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
target="$(cd ../.. && pwd)/target"

venv="$target/reference-venv"
if ! cmp -s requirements.txt "$venv/installed"; then
    rm -rf "$venv"
    mkdir -p "$target"
    "${PYTHON:-python3}" -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement requirements.txt
    cp requirements.txt "$venv/installed"
fi

export PYTHONDONTWRITEBYTECODE=1
exec "$venv/bin/python" -m pytest -q -p no:cacheprovider tests "$@"
