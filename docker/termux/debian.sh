#!/usr/bin/env bash
# Installs the gateway in a Debian, from a checkout: `bash debian.sh CHECKOUT TARGET`. Used inside proot-distro.
#
# Every package comes as a wheel with its hash; nothing is compiled. Running it again updates.
set -euo pipefail

checkout=$1
target=$2

missing=()
for package in python3 python3-venv ca-certificates; do
    dpkg-query --show --showformat '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ "${#missing[@]}" -gt 0 ]; then
    echo "==> Installing ${missing[*]} from Debian"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi

case "$(uname -m)" in
    aarch64 | x86_64) ;;
    *)
        echo "error: there are no wheels of ONNX Runtime and OpenCV for \`$(uname -m)\`." >&2
        echo "  A 64-bit system is needed; most phones since 2017 can run one." >&2
        exit 1
        ;;
esac

if ! "$target/bin/python" -c 'import pip' 2>/dev/null; then
    echo "==> Making an environment in $target"
    rm -rf "$target"
    python3 -m venv "$target"
fi
pip=("$target/bin/python" -m pip --disable-pip-version-check install --quiet --no-deps)
echo "==> Installing the Python packages, each with its hash (about 90 MB)"
"${pip[@]}" --only-binary :all: --require-hashes --requirement "$checkout/requirements-serve.txt"
echo "==> Building fer-gateway and installing it"
# From a copy: the checkout may be bound read-only, and is not to be littered.
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
mkdir "$copy/training"
cp -r "$checkout/training/fer_training" "$copy/training/"
for name in pyproject.toml README.md LICENSE server web; do
    cp -r "$checkout/$name" "$copy/"
done
"${pip[@]}" --no-build-isolation --force-reinstall "$copy"
"$target/bin/fer-gateway" doctor
