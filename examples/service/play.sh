#!/usr/bin/env bash
# One share, its download, an opening and a withdrawal, by `door` against the service in a process of its own.
#
#   examples/service/play.sh [DATABASE]      sqlite in a temporary folder, where no other is named
set -euo pipefail
cd "$(dirname "$0")/../.."

cargo build --quiet --locked -p sharekey-service -p door
built=${CARGO_TARGET_DIR:-$PWD/target}/debug
folder=$(mktemp -d)
trap 'kill "$service" 2>/dev/null || true; rm -rf "$folder"' EXIT
"$built/sharekey-service" --listen 127.0.0.1:0 --database "${1:-sqlite:$folder/records.db}" --key "$folder/key" \
    >"$folder/url" 2>"$folder/log" &
service=$!
for _ in $(seq 100); do [ -s "$folder/url" ] && break; sleep 0.1; done
url=$(cat "$folder/url")
door() { "$built/door" --home "$folder/home" --service "$url" "$@" | tee "$folder/said"; }
says() { grep -q "$1" "$folder/said" || { echo "FAILED: no \"$1\"" >&2; cat "$folder/log" >&2; exit 1; }; }

door lock new --slots 2
door owner provision --card "$(head -n 1 "$folder/said")"
door owner set-clock
door owner activate 0
door guest ana account
key=$(sed -n 's/^key  *//p' "$folder/said") fingerprint=$(sed -n 's/^fingerprint  *//p' "$folder/said")
door owner contact add ana "$key"
door owner contact verify ana "$fingerprint"
door owner share 0 --to-id ana
door owner withdraw 0
says 'nobody downloaded'
door owner share 0 --to-id ana
door guest ana receive
door guest ana download 0
door guest ana open 0
door owner withdraw 0
door owner status
says 'key 3'
door owner deactivate 0
door owner status
says 'Every slot is inactive'
curl --silent --fail "$url/metrics" >/dev/null
echo 'played'
