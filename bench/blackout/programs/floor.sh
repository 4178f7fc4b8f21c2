#!/bin/bash
# floor.sh RUNS: how long the bare tools take, without Docker, network or memory: `runc checkpoint` and `runc restore` of a container in
# which busybox sleeps (`tail -f`, for a plain sleep ends with the interruption). Prints a line `CHECKPOINT RESTORE` in seconds for each run.
set -eu
runs=$1
work=/run/bench-floor
remove() {
  runc --root "$work/state" delete --force floor >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap remove EXIT
mkdir -p "$work/bundle/rootfs/bin" "$work/bundle/rootfs/proc" "$work/bundle/rootfs/dev" "$work/bundle/rootfs/sys"
cp /usr/bin/busybox "$work/bundle/rootfs/bin/busybox"
runc spec --bundle "$work/bundle"
sed -i -e 's/"terminal": true/"terminal": false/' -e 's/"readonly": true/"readonly": false/' -e 's|^\(\t*\)"sh"|\1"/bin/busybox", "tail", "-f", "/dev/null"|' "$work/bundle/config.json"
cd "$work"
# What the container inherits must be /dev/null: CRIU cannot look up a file of this machine from inside it.
floor() { runc --root "$work/state" --log "$work/runc.log" "$@" </dev/null >/dev/null 2>&1 || fail; }
fail() {
  tail -n 3 "$work/runc.log" >&2
  exit 1
}
seconds() { printf '%d.%06d' $((($2 - $1) / 1000000)) $((($2 - $1) % 1000000)); }
floor run --detach --bundle "$work/bundle" floor
for ((run = 0; run < runs; run++)); do
  begun=${EPOCHREALTIME/./}
  floor checkpoint --image-path "$work/images" --work-path "$work/log" floor
  dumped=${EPOCHREALTIME/./}
  floor restore --detach --bundle "$work/bundle" --image-path "$work/images" --work-path "$work/log" floor
  restored=${EPOCHREALTIME/./}
  echo "$(seconds "$begun" "$dumped") $(seconds "$dumped" "$restored")"
  rm -rf "$work/images"
done
