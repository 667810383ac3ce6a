#!/usr/bin/env bash
# The race and the negative controls, with what needs root: a disk whose power is cut. RESULTS.md has what they came to last.
#
#   examples/service/faults.sh
set -euo pipefail
cd "$(dirname "$0")/../.."

[ "$(id -u)" -eq 0 ] || { echo 'needs root: it mounts a disk of its own' >&2; exit 1; }
examples/service/with-postgres.sh cargo test --locked -p sharekey-service --test service -- \
    --include-ignored --skip load --nocapture --test-threads 1
