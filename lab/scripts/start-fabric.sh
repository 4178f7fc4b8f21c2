#!/bin/bash
# start-fabric.sh FOLDER ADDRESS/PREFIX: a network namespace with the bridge all machines of the lab are plugged into.
set -eu
. "${0%/*}/close-descriptors.sh"
folder=$1
address=$2
while read -r procs; do echo $$ >"$procs"; done <"$folder/cgroups"
exec unshare --net -- bash -c '
  set -eu
  ip link set lo up
  ip link add bridge0 type bridge
  ip address add "$1" dev bridge0
  ip link set bridge0 up
  echo $$ >"$0/log/pid.partial"
  mv "$0/log/pid.partial" "$0/log/pid"
  exec sleep infinity
' "$folder" "$address"
