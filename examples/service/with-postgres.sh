#!/usr/bin/env bash
# Starts a PostgreSQL of its own in a temporary folder, runs a command with SHAREKEY_POSTGRES=its URL, and stops it.
#
#   examples/service/with-postgres.sh cargo test -p sharekey-service
set -euo pipefail

find_tool() { command -v "$1" || find /usr/lib/postgresql/*/bin -name "$1" 2>/dev/null | sort -V | tail -n 1; }
initdb=$(find_tool initdb) pg_ctl=$(find_tool pg_ctl)
[ -n "$initdb" ] && [ -n "$pg_ctl" ] || { echo 'there is no PostgreSQL: apt-get install postgresql' >&2; exit 1; }

folder=$(mktemp -d)
# The server refuses to run as root.
as=()
if [ "$(id -u)" -eq 0 ]; then
    id postgres >/dev/null 2>&1 || useradd --system postgres
    chown postgres "$folder"
    as=(runuser -u postgres --)
fi
chmod 755 "$folder"
trap '"${as[@]}" "$pg_ctl" -D "$folder/data" -m immediate stop >/dev/null 2>&1 || true; rm -rf "$folder"' EXIT
cd "$folder"
"${as[@]}" "$initdb" -D "$folder/data" -A trust -U postgres >"$folder/initdb.log"
port=${SHAREKEY_POSTGRES_PORT:-$((20000 + RANDOM % 20000))}
"${as[@]}" "$pg_ctl" -D "$folder/data" -l "$folder/data/log" -w \
    -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$folder/data" start >/dev/null
cd - >/dev/null
SHAREKEY_POSTGRES="postgres://postgres@127.0.0.1:$port/postgres" "$@"
