#!/bin/bash
# enter.sh FOLDER COMMAND…: runs a command inside the machine (or fabric) of that folder, within its size.
set -eu
. "${0%/*}/close-descriptors.sh"
folder=$1
shift
# nsenter changes what the process sees, not what it is counted under.
while read -r procs; do echo $$ >"$procs"; done <"$folder/enter"
read -r pid <"$folder/log/pid"
exec nsenter --target "$pid" --all -- "$@"
