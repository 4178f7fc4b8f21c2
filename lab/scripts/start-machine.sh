#!/bin/bash
# start-machine.sh FOLDER: one machine of the lab. FOLDER holds `settings` (shell variables) and `cgroups` (cgroup.procs files to enter).
# The cgroups are entered before the cgroup namespace is made, so that they are the machine's root: its size.
set -eu
. "${0%/*}/close-descriptors.sh"
while read -r procs; do echo $$ >"$procs"; done <"$1/cgroups"
. "$1/settings"
# No two computers were switched on at the same time.
exec unshare --net --mount --pid --fork --kill-child --uts --ipc --cgroup --time --monotonic "$UPTIME" --boottime "$UPTIME" -- bash "${0%/*}/furnish-machine.sh" "$1"
