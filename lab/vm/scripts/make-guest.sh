#!/bin/bash
# make-guest.sh ROOT GUEST-FILES FOLDER: makes a guest's kernel, initramfs and disk in FOLDER from the Debian tree ROOT. Runs in a mount namespace of its own.
# In the environment: DAEMON_SETTINGS and CONTAINERD_SETTINGS, the texts of Docker's and containerd's configuration.
set -eu
root=$1
files=$2
folder=$3
mkdir -p "$folder"
mount -t tmpfs -o size=2g scratch /mnt
mkdir /mnt/upper /mnt/work /mnt/tree
# Nothing is ever written into ROOT.
mount -t overlay overlay -o "lowerdir=$root,upperdir=/mnt/upper,workdir=/mnt/work" /mnt/tree
tree=/mnt/tree
kernel=$(basename "$root"/lib/modules/*)
cp "$root/boot/vmlinuz-$kernel" "$folder/vmlinuz"

mkdir -p /mnt/initramfs/bin /mnt/initramfs/modules
cp "$root/usr/bin/busybox" /mnt/initramfs/bin/busybox
cp "$files/initramfs-init" /mnt/initramfs/init
for module in virtio_pci virtio_blk ext4; do chroot "$tree" modprobe -S "$kernel" --show-depends "$module"; done |
  sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++' |
  while read -r path; do
    name=$(basename "${path%.xz}")
    case $path in *.xz) chroot "$tree" xz -dc "$path" >"/mnt/initramfs/modules/$name" ;; *) cp "$tree$path" "/mnt/initramfs/modules/$name" ;; esac
    echo "$name" >>/mnt/initramfs/modules/order
  done
touch /mnt/initramfs/modules/order
# Not compressed: emulation is slow at that.
cp -a /mnt/initramfs "$tree/initramfs"
chroot "$tree" sh -c 'cd /initramfs && find . | cpio --quiet -o -H newc' >"$folder/initramfs"
rm -r "$tree/initramfs"

install -m 755 "$files/guest-start" "$files/guest-personalise" "$tree/usr/local/sbin/"
mkdir -p "$tree/etc/guest"
# CRIU and Docker ask for these without loading them.
install -D -m 644 "$files/modules" "$tree/etc/modules-load.d/guest.conf"
install -D -m 644 "$files/sysctl" "$tree/etc/sysctl.d/guest.conf"
install -m 644 "$files/guest.service" "$files/guest-docker.service" "$tree/etc/systemd/system/"
install -D -m 644 "$files/killed-often.conf" "$tree/etc/systemd/system/docker.service.d/killed-often.conf"
# Only what a node is for: what other packages start of themselves takes minutes under emulation.
rm -rf "$tree"/etc/systemd/system/*.target.wants
chroot "$tree" systemctl --quiet enable guest guest-docker ssh containerd docker docker.socket
chroot "$tree" systemctl --quiet mask getty.target serial-getty@ttyS0 systemd-logind.service systemd-logind-varlink.socket \
  ldconfig systemd-journal-catalog-update systemd-hwdb-update systemd-journal-flush
tr -d - </proc/sys/kernel/random/uuid >"$tree/etc/machine-id"
mkdir -p "$tree/etc/docker" "$tree/etc/containerd" "$tree/root/.ssh" "$tree/opt/evenkeel" "$tree/shared" "$tree/var/log/lab"
printf %s "$DAEMON_SETTINGS" >"$tree/etc/docker/daemon.json"
printf %s "$CONTAINERD_SETTINGS" >"$tree/etc/containerd/config.toml"
chroot "$tree" ssh-keygen -q -t ed25519 -N '' -f /tmp/key
mv "$tree/tmp/key" "$folder/key"
mv "$tree/tmp/key.pub" "$tree/root/.ssh/authorized_keys"
chmod 700 "$tree/root/.ssh"
chroot "$tree" ssh-keygen -A
cat >"$tree/etc/ssh/sshd_config" <<'END'
ListenAddress 192.168.127.2
PermitRootLogin prohibit-password
UsePAM no
UseDNS no
MaxSessions 500
MaxStartups 100
END
# Only the guest's own kernel's modules are of use there, and no emulator.
rm -rf "$tree/boot" "$tree"/usr/bin/qemu-* "$tree/usr/share/qemu" "$tree/manifest.json"
truncate -s 12G "$folder/disk.ext4"
mkfs.ext4 -q -F -L guest -O ^metadata_csum -E lazy_itable_init=1,lazy_journal_init=1,root_owner=0:0 -d "$tree" "$folder/disk.ext4"
