#!/usr/bin/env bash
# Installs fer-gateway on a phone, in Termux: `bash docker/termux/install.sh` in a clone of the repository.
#
#   --proot   in a Debian inside Termux (`proot-distro`) instead of with Termux's own packages
#
# Running it again repairs and updates; every step is skipped where it is done already, or does no harm.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source_folder=$(cd "$here/../.." && pwd)
# shellcheck source=docker/termux/common.sh
. "$here/common.sh"

# Wheels that the usual registry lacks for Android; only pydantic-core is taken from there. Empty: the usual registry.
TERMUX_WHEELS="${TERMUX_WHEELS-https://termux-user-repository.github.io/pypi/}"
# They come from Termux's own packages; pip must not try to build them.
FROM_APT="cryptography numpy onnxruntime opencv-python opencv-python-headless"
NATIVE_MB=2500
PROOT_MB=1500

method=native
case "${1:-}" in
    "") ;;
    --proot) method=proot ;;
    *) fail "\`$1\` is no option." "\`bash docker/termux/install.sh [--proot]\`" ;;
esac

main() {
    need_termux
    if [ ! -f "$source_folder/requirements-serve.txt" ]; then
        fail "\`$source_folder\` is no clone of the repository." "\`git clone\` it, and run this script inside."
    fi
    mkdir -p "$SCRIPTS"
    upgrade_termux
    if [ "$method" = native ]; then
        install_native
    else
        install_proot
    fi
    keep_scripts
    say "Done. Start it with \`fer-gateway-phone\`, then open http://localhost:8000 in the browser of this phone."
    echo "    Before you leave it alone: README.md in $here tells how to keep Android from ending it."
}

# Termux is rolling: libraries of different days do not fit each other, so everything is brought to today.
upgrade_termux() {
    say "Updating Termux's packages"
    pkg update -y || fail "\`pkg update\` failed." "Check the network, or choose another mirror with \`termux-change-repo\`."
    pkg upgrade -y || fail "\`pkg upgrade\` failed." "Run it by hand, answer what it asks, then run this script again."
}

install_native() {
    need_space "$NATIVE_MB"
    say "Installing Python, NumPy, OpenCV, ONNX Runtime and cryptography from Termux (OpenCV brings Qt and ffmpeg)"
    pkg install -y x11-repo ||
        fail "\`pkg install x11-repo\` failed; OpenCV is in that repository." "Check the network and try again."
    pkg install -y git python python-numpy python-onnxruntime opencv-python python-opencv-python python-cryptography ||
        fail "\`pkg install\` failed." "Run \`pkg upgrade\`, then this script again; or use \`--proot\`."
    local module
    for module in numpy cv2 onnxruntime cryptography; do
        python -c "import $module" 2>"$HOME_FOLDER/import.log" ||
            fail "Python cannot import \`$module\`: $(tail -n 1 "$HOME_FOLDER/import.log")" \
            "After an update of Python, Termux's packages may lag behind for days. Run \`pkg upgrade\` later, or use \`--proot\`."
    done
    rm -f "$HOME_FOLDER/import.log"
    make_venv
    install_python_packages
    say "Looking at what is there now"
    "$VENV/bin/fer-gateway" doctor ||
        fail "\`fer-gateway doctor\` found a problem, see above." "Repair it as it says, and run this script again."
}

# A new Python version leaves the old environment without packages: it is made anew.
make_venv() {
    local version='import sys; print(sys.version_info[:2])'
    if [ "$("$VENV/bin/python" -c "$version" 2>/dev/null)" = "$(python -c "$version")" ]; then
        say "The environment in $VENV is there"
    else
        say "Making an environment in $VENV"
        rm -rf "$VENV"
        python -m venv --system-site-packages "$VENV" || fail "\`python -m venv\` failed." "Run \`pkg reinstall python\`."
    fi
}

install_python_packages() {
    local pip=("$VENV/bin/python" -m pip --disable-pip-version-check install --quiet --no-deps)
    local core
    core=$(sed -n 's/^pydantic-core==\([0-9.]*\).*/\1/p' "$source_folder/requirements-serve.txt")
    if [ "$("$VENV/bin/python" -c 'import pydantic_core as p; print(p.__version__)' 2>/dev/null)" != "$core" ]; then
        say "Installing pydantic-core $core from the wheels of the Termux user repository"
        "${pip[@]}" --only-binary :all: ${TERMUX_WHEELS:+--index-url "$TERMUX_WHEELS"} "pydantic-core==$core" ||
            fail "there is no pydantic-core $core for this Python and processor." \
                "Python $(python -c 'import platform; print(platform.python_version(), platform.machine())'); use \`--proot\`."
    fi
    say "Installing the other Python packages, each with its hash"
    without "pydantic-core $FROM_APT" "$source_folder/requirements-serve.txt" >"$HOME_FOLDER/requirements.txt"
    "${pip[@]}" --only-binary :all: --require-hashes --requirement "$HOME_FOLDER/requirements.txt" ||
        fail "pip could not install the packages above." "Check the network and try again."
    say "Building fer-gateway and installing it"
    "${pip[@]}" --no-build-isolation --force-reinstall "$source_folder" ||
        fail "the wheel could not be built." "Run \`git -C $source_folder status\`: is the clone complete?"
}

# without NAMES FILE: a lock file without some packages; a package ends where the next line without a space begins.
without() {
    awk -v names=" $1 " '
        /^[a-z]/ { name = $1; sub(/[=;\[].*/, "", name); skipped = index(names, " " name " ") }
        !skipped
    ' "$2"
}

install_proot() {
    need_space "$PROOT_MB"
    say "Installing proot-distro and a Debian in it"
    pkg install -y git proot-distro || fail "\`pkg install proot-distro\` failed." "Check the network and try again."
    if ! proot-distro login "$CONTAINER" -- true >/dev/null 2>&1; then
        proot-distro install --name "$CONTAINER" "$CONTAINER_IMAGE" || fail "\`proot-distro install $CONTAINER_IMAGE\` failed." \
            "Check the network and free space, remove what is left with \`proot-distro remove $CONTAINER\`, and try again."
    fi
    proot-distro login "$CONTAINER" --bind "$source_folder:/mnt/source" -- \
        bash /mnt/source/docker/termux/debian.sh /mnt/source /opt/fer-gateway ||
        fail "the installation inside Debian failed, see above." "Run this script again once that is repaired."
}

# The scripts are kept apart from the clone, which may be moved or deleted.
keep_scripts() {
    say "Installing the commands fer-gateway-phone and fer-gateway"
    cp "$here"/*.sh "$SCRIPTS/"
    printf '%s\n' "$source_folder" >"$SOURCE_NOTE"
    printf '%s\n' "$method" >"$METHOD_NOTE"
    printf '#!%s\nexec bash "%s" "$@"\n' "$PREFIX/bin/bash" "$SCRIPTS/start.sh" >"$PREFIX/bin/fer-gateway-phone"
    printf '#!%s\nexec bash "%s" "$@"\n' "$PREFIX/bin/bash" "$SCRIPTS/run.sh" >"$PREFIX/bin/fer-gateway"
    chmod 755 "$PREFIX/bin/fer-gateway-phone" "$PREFIX/bin/fer-gateway"
}

main
