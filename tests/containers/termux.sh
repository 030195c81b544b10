#!/usr/bin/env bash
# The life of an installation on a phone, from install to uninstall: `bash termux.sh native|proot CHECKOUT`.
#
# It runs in a Debian that stands in for Termux (phone.py): `pkg` translates Termux's package names into Debian's, the
# rest is real: apt, venv, pip, the wheel, OpenCV, ONNX Runtime, proot-distro, the server and its signals.
set -euo pipefail

method=$1
checkout=$2
options=()
[ "$method" = native ] || options=(--proot)

expect() {
    "${@:2}" || { echo "FAILED: $1" >&2; exit 1; }
    echo "    ok: $1"
}

echo "--- what it says where it cannot work"
refused=$(TERMUX_VERSION='' bash "$checkout/docker/termux/install.sh" 2>&1) && exit 1
expect "outside Termux it says so" grep -q "this is not Termux" <<<"$refused"
refused=$(FER_ALLOW_ROOT='' bash "$checkout/docker/termux/install.sh" 2>&1) && exit 1
expect "root is refused" grep -q "not as root" <<<"$refused"
refused=$(bash "$checkout/docker/termux/install.sh" --prot 2>&1) && exit 1
expect "an option that is none is refused" grep -q "no option" <<<"$refused"
refused=$(bash "$checkout/docker/termux/boot.sh" on 2>&1) && exit 1
expect "nothing starts at boot before it is installed" grep -q "not installed here" <<<"$refused"

echo "--- install"
bash "$checkout/docker/termux/install.sh" "${options[@]}"
expect "the command is there" test -x "$PREFIX/bin/fer-gateway"
fer-gateway doctor
if [ "$method" = native ]; then
    python=$HOME/.fer-gateway/venv/bin/python
    for module in numpy cv2 onnxruntime; do
        from=$("$python" -c "import $module; print($module.__file__)")
        expect "$module comes from the system: $from" test "${from#/usr/lib/python3}" != "$from"
    done
    expect "pydantic is the pinned one" "$python" -c 'import pydantic; assert pydantic.VERSION == "2.12.5"'
    expect "no uvloop, no httptools" "$python" -c '
import importlib.util as u; assert not u.find_spec("uvloop") and not u.find_spec("httptools")'
    du -sm "$HOME/.fer-gateway"
fi

echo "--- once more: nothing breaks, nothing is made anew"
again=$(bash "$checkout/docker/termux/install.sh" "${options[@]}" 2>&1) || { echo "$again"; exit 1; }
if [ "$method" = native ]; then
    expect "the environment is kept" grep -q "is there" <<<"$again"
    expect "pydantic-core is kept" test "$again" = "${again#*Installing pydantic-core}"
fi

echo "--- a picture"
cd "$HOME"
fer-gateway analyze --json face.jpg | tee answer.json
expect "the face is found" grep -q '"label"' answer.json

echo "--- start, answer, stop"
port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
fer-gateway-phone --port "$port" >server.log 2>&1 &
server=$!
for _ in $(seq 300); do
    if curl_ready=$(python3 -c 'import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read())' \
        "http://127.0.0.1:$port/api/v1/ready" 2>/dev/null); then
        break
    fi
    kill -0 "$server" || { cat server.log; exit 1; }
    sleep 0.5
done
expect "it answers: $curl_ready" test -n "$curl_ready"
expect "the phone is kept awake" test -e "$HOME/awake"
# The battery of this phone is at 46 degrees: two frames a second.
for _ in $(seq 300); do
    grep -q "at most 2 frames a second" server.log && break
    sleep 0.2
done
expect "heat is looked after" grep -q "at most 2 frames a second" server.log
kill -TERM "$server"
wait "$server" || true
expect "and may sleep again" test ! -e "$HOME/awake"
expect "nothing answers any more" python3 -c '
import socket, sys, time
address, deadline = ("127.0.0.1", int(sys.argv[1])), time.monotonic() + 30
while time.monotonic() < deadline and not socket.socket().connect_ex(address): time.sleep(0.2)
assert socket.socket().connect_ex(address)' "$port"

echo "--- start with the phone"
bash "$checkout/docker/termux/boot.sh" on
expect "the script of Termux:Boot is there" test -x "$HOME/.termux/boot/fer-gateway"
bash "$checkout/docker/termux/boot.sh" off
expect "and gone" test ! -e "$HOME/.termux/boot/fer-gateway"

echo "--- update: needs its clone"
refused=$(bash "$checkout/docker/termux/update.sh" 2>&1) && exit 1
expect "without git it says what to do" grep -q "Clone the repository again" <<<"$refused"

echo "--- uninstall"
bash "$HOME/.fer-gateway/scripts/uninstall.sh" --data
expect "the folder is gone" test ! -e "$HOME/.fer-gateway"
expect "the commands are gone" test ! -e "$PREFIX/bin/fer-gateway"
expect "keys are gone" test ! -e "$HOME/.local/share/fer-gateway"
echo "the installation on a phone works in Debian ($method)"
