#!/usr/bin/env bash
# Runs the `fer-gateway` command however it was installed: `fer-gateway doctor --bench`.
set -euo pipefail

# shellcheck source=docker/termux/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

method=$(installed_method)
if [ "$method" = proot ]; then
    # Settings come along, and the folder that this is called in: `fer-gateway analyze photo.jpg`.
    settings=()
    while IFS= read -r line; do
        settings+=(--env "$line")
    done < <(env | grep '^FER_' || true)
    exec proot-distro login "$CONTAINER" --termux-home --bind "$PWD:/mnt/here" --work-dir /mnt/here \
        "${settings[@]}" -- /opt/fer-gateway/bin/fer-gateway "$@"
fi
exec "$VENV/bin/fer-gateway" "$@"
