#!/usr/bin/env bash
# Whether the gateway starts with the phone: `bash boot.sh on` or `bash boot.sh off`. Needs the app Termux:Boot.
set -euo pipefail

# shellcheck source=docker/termux/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
need_termux

case "${1:-}" in
    on)
        installed_method >/dev/null
        mkdir -p "$(dirname "$BOOT_SCRIPT")"
        # At boot nobody reads what is printed: it goes to a file that begins anew each time.
        printf '#!%s\nexec bash "%s" >"%s" 2>&1\n' "$PREFIX/bin/sh" "$SCRIPTS/start.sh" "$HOME_FOLDER/boot.log" >"$BOOT_SCRIPT"
        chmod 700 "$BOOT_SCRIPT"
        say "fer-gateway starts with the phone; what it says is in $HOME_FOLDER/boot.log."
        echo "    Install the app Termux:Boot from where Termux came from, and open it once: Android asks for that."
        ;;
    off)
        rm -f "$BOOT_SCRIPT"
        say "fer-gateway does not start with the phone."
        ;;
    *)
        fail "say whether it shall start with the phone." "\`bash docker/termux/boot.sh on\` or \`off\`"
        ;;
esac
