#!/bin/sh
# supervise.sh "SERVICE …": process 1 of a machine. Keeps its services running, as an init would, and collects orphans.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8

keep() {
  service=$1
  shift
  while :; do
    "$@" >>"/var/log/lab/$service.log" 2>&1 &
    echo $! >"/run/$service.pid"
    wait $!
    echo "$service ended with status $?"
    # A service that dies at once must not turn this into a busy loop.
    sleep 0.2
  done
}

for service in $1; do
  case $service in
    containerd) keep containerd containerd --config /etc/containerd/config.toml & ;;
    docker) keep dockerd dockerd & ;;
    *) echo "no such service: $service" ;;
  esac
done
# Without a child of its own, wait would return at once.
sleep infinity &
while :; do wait; done
