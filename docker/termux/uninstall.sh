#!/usr/bin/env bash
# Removes what install.sh made: `bash docker/termux/uninstall.sh`. Termux's packages and the clone stay.
#
#   --data   keys and paired devices too
set -euo pipefail

# shellcheck source=docker/termux/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
need_termux

case "${1:-}" in
    "" | --data) ;;
    *) fail "\`$1\` is no option." "\`bash docker/termux/uninstall.sh [--data]\`" ;;
esac

method=none
[ ! -f "$METHOD_NOTE" ] || method=$(cat "$METHOD_NOTE")
say "Removing the commands, the start with the phone and $HOME_FOLDER"
rm -f "$PREFIX/bin/fer-gateway-phone" "$PREFIX/bin/fer-gateway" "$BOOT_SCRIPT"
rm -rf "$HOME_FOLDER"
if [ "$method" = proot ]; then
    say "Removing its Debian"
    proot-distro remove "$CONTAINER" || fail "it could not be removed." "Run \`proot-distro remove $CONTAINER\`."
else
    echo "    \`pkg uninstall opencv-python python-opencv-python python-onnxruntime && apt autoremove\` frees the most."
fi
if [ "${1:-}" = --data ]; then
    say "Removing keys and paired devices"
    rm -rf "${XDG_DATA_HOME:-$HOME/.local/share}/fer-gateway"
fi
say "Done. In the browser: the site's settings hold the page's own data; About, \`Delete everything\` removes it."
