# What the scripts of this folder share; they source it. Bash, for that is what Termux has.
# shellcheck shell=bash disable=SC2034  # what is set here is used there

HOME_FOLDER="${FER_HOME:-$HOME/.fer-gateway}"
VENV="$HOME_FOLDER/venv"
SCRIPTS="$HOME_FOLDER/scripts"
SOURCE_NOTE="$HOME_FOLDER/source"
METHOD_NOTE="$HOME_FOLDER/method"
BOOT_SCRIPT="$HOME/.termux/boot/fer-gateway"
# A container of its own: what else you run in proot-distro stays as it is.
CONTAINER=fer-gateway
CONTAINER_IMAGE=debian:trixie-slim

# A step that is about to be done.
say() {
    printf '==> %s\n' "$*"
}

# What went wrong, and what to do; ends the script.
fail() {
    printf 'error: %s\n' "$1" >&2
    shift
    printf '  %s\n' "$@" >&2
    exit 1
}

# Whether a command is there.
has() {
    command -v "$1" >/dev/null 2>&1
}

need_termux() {
    if [ -z "${TERMUX_VERSION:-}" ] || [ -z "${PREFIX:-}" ]; then
        fail "this is not Termux (\`TERMUX_VERSION\` is not set)." \
            "Install Termux from F-Droid or GitHub, not from Google Play, and run this there." \
            "On a computer, \`make serve\` is all it takes."
    fi
    if [ "$(id -u)" = 0 ] && [ -z "${FER_ALLOW_ROOT:-}" ]; then
        fail "run this as Termux's own user, not as root." "What root installs, Termux cannot change later."
    fi
}

# How it was installed: `native` or `proot`; an error where it was not.
installed_method() {
    if [ ! -f "$METHOD_NOTE" ]; then
        fail "fer-gateway is not installed here (no \`$METHOD_NOTE\`)." \
            "Run \`bash docker/termux/install.sh\` in a clone of the repository."
    fi
    cat "$METHOD_NOTE"
}

# need_space MEGABYTES: an error where fewer are free.
need_space() {
    local free
    free=$(($(df -Pk "$HOME" | awk 'NR == 2 { print $4 }') / 1024))
    if [ "$free" -lt "$1" ]; then
        fail "\`$HOME\` has $free MB free, and this needs about $1 MB." \
            "Free some space, or choose the other way of installing; README.md in this folder compares them."
    fi
}
