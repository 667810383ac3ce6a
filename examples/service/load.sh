#!/usr/bin/env bash
# What requests cost, beside the bare statements that they come to: a table in Markdown for each engine, with so many records.
#
#   examples/service/load.sh [RECORDS …]     1000 100000 1000000, where none are named
set -euo pipefail
cd "$(dirname "$0")/../.."

export SHAREKEY_RECORDS=${*:-1000 100000 1000000}
measure=(cargo test --quiet --locked --release -p sharekey-service --test service -- --ignored --exact load::load --nocapture)
echo "On $(nproc) cores, load $(cut -d' ' -f1-3 /proc/loadavg); $(git rev-parse --short HEAD)"
printf '\nSQLite\n\n'
env -u SHAREKEY_POSTGRES "${measure[@]}" | grep '^|'
printf '\nPostgreSQL\n\n'
examples/service/with-postgres.sh "${measure[@]}" | grep '^|'
