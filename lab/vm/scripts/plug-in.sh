#!/bin/bash
# Runs in a virtual node's own machine. The machine gives up its address to the guest: `fleet` is the guest's card on the fabric's bridge, `control`
# a link between the two alone, on which commands and Docker's API travel when the other one is cut.
set -eu
# A connection to a guest that lost power would hold these namespaces for minutes after its program.
sysctl -q -w net.ipv4.tcp_orphan_retries=1
ip address flush dev eth0
ip link add bridge0 type bridge
ip link set eth0 master bridge0
ip tuntap add dev fleet mode tap
ip link set fleet master bridge0
ip tuntap add dev control mode tap
ip address add 192.168.127.1/24 dev control
for link in eth0 bridge0 fleet control; do ip link set "$link" up; done
