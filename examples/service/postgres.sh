#!/usr/bin/env bash
# A PostgreSQL of one's own in a folder, on this machine only.
#
#   postgres.sh start FOLDER [-c NAME=VALUE …]      makes it where there is none, starts it, prints its URL
#   postgres.sh follow FOLDER PRIMARY               makes a standby of another such folder, starts it, prints its URL
#   postgres.sh kill FOLDER                         kill -9 of all its processes, as a crash does it
#   postgres.sh stop FOLDER
set -euo pipefail

find_tool() { command -v "$1" || find /usr/lib/postgresql/*/bin -name "$1" 2>/dev/null | sort -V | tail -n 1; }
pg_ctl=$(find_tool pg_ctl)
[ -n "$pg_ctl" ] || { echo 'there is no PostgreSQL: apt-get install postgresql' >&2; exit 1; }

what=$1 folder=$2
shift 2
# The server refuses to run as root.
as=()
if [ "$(id -u)" -eq 0 ]; then
    id postgres >/dev/null 2>&1 || useradd --system postgres
    as=(runuser -u postgres --)
fi
# Not where its user may not look.
cd /

server() { "${as[@]}" "$pg_ctl" -D "$folder/data" "$@" >/dev/null 2>>"$folder/errors"; }
room() {
    mkdir -p "$folder"
    [ ${#as[@]} -eq 0 ] || chown postgres "$folder"
    chmod 755 "$folder"
    [ -s "$folder/port" ] || echo $((20000 + RANDOM % 12000)) >"$folder/port"
}
run() {
    port=$(cat "$folder/port")
    # Killed, it leaves its shared memory for a moment to those of its processes that have not noticed yet.
    for _ in $(seq 100); do
        if server -l "$folder/data/log" -w -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$folder/data $*" start; then
            echo "postgres://postgres@127.0.0.1:$port/postgres"
            return
        fi
        sleep 0.1
    done
    cat "$folder/errors" "$folder/data/log" >&2
    return 1
}

case $what in
    start)
        room
        [ -e "$folder/data/PG_VERSION" ] || "${as[@]}" "$(find_tool initdb)" -D "$folder/data" -A trust -U postgres >/dev/null
        run "$@"
        ;;
    follow)
        room
        "${as[@]}" "$(find_tool pg_basebackup)" -R -c fast -D "$folder/data" -h 127.0.0.1 -p "$(cat "$1/port")" -U postgres
        run
        ;;
    kill)
        main=$(head -n 1 "$folder/data/postmaster.pid")
        mapfile -t children < <(ps -o pid= --ppid "$main")
        kill -9 "$main" "${children[@]}" 2>/dev/null || true
        ;;
    stop) server -m immediate stop || true ;;
    *) sed -n '2,8s/^# \?//p' "$0" >&2; exit 2 ;;
esac
