#!/usr/bin/env bash
# Starts a PostgreSQL of its own in a temporary folder, runs a command with SHAREKEY_POSTGRES=its URL, and stops it.
#
#   examples/service/with-postgres.sh cargo test -p sharekey-service
set -euo pipefail

postgres=$(dirname "$(realpath "$0")")/postgres.sh
folder=$(mktemp -d)
trap '"$postgres" stop "$folder"; rm -rf "$folder"' EXIT
SHAREKEY_POSTGRES=$("$postgres" start "$folder")
export SHAREKEY_POSTGRES
"$@"
