#!/bin/bash
# furnish-machine.sh FOLDER: runs as process 1 of the new namespaces, plugs in the network, builds the file system, and becomes the supervisor.
set -eu
folder=$1
. "$folder/settings"
# /proc is still the host's, so this is the host's number of this process.
read -r host_pid _ </proc/self/stat

# `netns 1` is this process: the kernel looks the number up in the caller's process namespace.
nsenter --net="/proc/$FABRIC_PID/ns/net" ip link add "$PORT" type veth peer name eth0 address "$MAC" netns 1
nsenter --net="/proc/$FABRIC_PID/ns/net" ip link set "$PORT" master bridge0 up
ip link set lo up
ip address add "$ADDRESS/$PREFIX" dev eth0
ip link set eth0 up
hostname "$NAME"

root=$folder/root
mount -t overlay overlay -o "lowerdir=$ROOT,upperdir=$folder/upper,workdir=$folder/work" "$root"
cd "$root"
mkdir -p shared opt/evenkeel var/lib/docker var/lib/containerd var/lib/evenkeel var/log/lab old-root
mount --bind "$SHARED" shared
mount --bind "$folder/log" var/log/lab
# Docker's overlays need a real file system below them, not another overlay.
for name in docker containerd evenkeel; do mount --bind "$folder/$name" "var/lib/$name"; done
mount --bind "$PROJECT" opt/evenkeel
mount -o remount,bind,ro opt/evenkeel
if [ -n "$GUEST" ]; then
  mkdir -p var/lib/guest
  mount --bind "$GUEST" var/lib/guest
  mount -o remount,bind,ro var/lib/guest
fi
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t tmpfs -o mode=755,size=1m dev dev
# CRIU keeps what it learnt of the kernel in /run only if that is a tmpfs.
mount -t tmpfs -o mode=755 run run
for device in null zero full random urandom tty kmsg fuse userfaultfd; do
  if [ -e "/dev/$device" ]; then cp -a "/dev/$device" dev/; fi
done
mkdir dev/pts dev/shm dev/net run/lock
if [ -e /dev/net/tun ]; then cp -a /dev/net/tun dev/net/; fi
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
mount -t tmpfs -o mode=1777 shm dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr

if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  mount -t cgroup2 cgroup2 sys/fs/cgroup
  # A cgroup that hands controllers down may hold no process itself.
  mkdir -p sys/fs/cgroup/init
  echo 1 >sys/fs/cgroup/init/cgroup.procs
  for controller in $(cat sys/fs/cgroup/cgroup.controllers); do
    echo "+$controller" >sys/fs/cgroup/cgroup.subtree_control || true
  done
else
  mount -t tmpfs -o mode=755 cgroup sys/fs/cgroup
  while IFS=: read -r number controllers _; do
    if [ "$number" = 0 ]; then continue; fi
    mkdir "sys/fs/cgroup/${controllers#name=}"
    case $controllers in
      name=*) mount -t cgroup -o "none,$controllers" cgroup "sys/fs/cgroup/${controllers#name=}" ;;
      *) mount -t cgroup -o "$controllers" cgroup "sys/fs/cgroup/$controllers" ;;
    esac
    case $controllers in
      *,*) for one in ${controllers//,/ }; do ln -s "$controllers" "sys/fs/cgroup/$one"; done ;;
    esac
  done <proc/self/cgroup
fi

# Not a chroot: CRIU looks up the parent of every mount.
pivot_root . old-root
cd /
umount -l /old-root
rmdir /old-root
exec </dev/null >>/var/log/lab/supervisor.log 2>&1
# The host learns the number only now that the machine is whole.
echo "$host_pid" >/var/log/lab/pid.partial
mv /var/log/lab/pid.partial /var/log/lab/pid
exec /opt/evenkeel/lab/scripts/supervise.sh "$SERVICES"
