#!/usr/bin/env bash
# Brings the clone and what was installed from it up to date: `bash docker/termux/update.sh`.
set -euo pipefail

# shellcheck source=docker/termux/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
need_termux
method=$(installed_method)
source_folder=$(cat "$SOURCE_NOTE")
if [ ! -e "$source_folder/.git" ]; then
    fail "the clone that it was installed from is gone (\`$source_folder\`)." \
        "Clone the repository again and run \`bash docker/termux/install.sh\` there."
fi
say "Fetching the newest version"
git -C "$source_folder" pull --ff-only || fail "\`git pull\` failed." "Look at \`git -C $source_folder status\`."
options=()
[ "$method" = native ] || options=(--proot)
exec bash "$source_folder/docker/termux/install.sh" "${options[@]}"
