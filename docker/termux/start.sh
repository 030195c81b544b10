#!/usr/bin/env bash
# Starts the gateway on this phone and keeps the phone awake meanwhile; Ctrl+C stops both. Options go to `serve`.
#
#     fer-gateway-phone                  http://localhost:8000, with the settings for phones
#     FER_PRESET=saver fer-gateway-phone for hours on the battery
set -euo pipefail

scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=docker/termux/common.sh
. "$scripts/common.sh"

installed_method >/dev/null
export FER_PRESET="${FER_PRESET:-phone}"

if has termux-wake-lock; then
    termux-wake-lock
    # Also when it ends by an error: a lock that is left behind empties the battery.
    trap 'termux-wake-unlock' EXIT
else
    echo "note: without \`termux-wake-lock\` Android may put the gateway to sleep; update Termux." >&2
fi
if ! has termux-battery-status; then
    echo "note: battery and heat are looked after once \`pkg install termux-api\` and the app Termux:API are there." >&2
fi

# One process, and this shell, which waits for it to give the lock back. The server gets a process group of its own
# (`set -m`), and signals go to all of it: proot, which may stand in between, ignores them for itself.
set -m
bash "$scripts/run.sh" serve "$@" &
server=$!
trap 'kill -TERM -- "-$server" 2>/dev/null || true' INT TERM HUP
status=0
wait "$server" || status=$?
# `wait` also returns when a signal came; the gateway then still needs a moment to say goodbye.
while kill -0 "$server" 2>/dev/null; do
    status=0
    wait "$server" || status=$?
done
exit "$status"
