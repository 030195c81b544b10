#!/bin/sh
# The API from a shell: client.sh GATEWAY TOKEN PHOTO; with an empty TOKEN on the gateway's own machine.
set -eu
gateway=$1 token=$2 photo=$3

# A header on the command line is seen by other users of the machine: curl reads it from a file instead.
header=$(mktemp)
trap 'rm -f "$header"' EXIT
[ -z "$token" ] || printf 'Authorization: Bearer %s\n' "$token" > "$header"
call() { curl --silent --show-error --header "@$header" "$@"; }

echo "analyze $(call --data-binary "@$photo" "$gateway/api/v1/analyze?max_faces=1")"

echo "batch $(call --form "file=@$photo" --form "file=@$0" "$gateway/api/v1/analyze/batch")"

# `--fail-with-body` makes errors the exit status and still prints the problem.
if ! answer=$(call --fail-with-body --data-binary "@$0" "$gateway/api/v1/analyze"); then
    echo "problem $answer"
fi
