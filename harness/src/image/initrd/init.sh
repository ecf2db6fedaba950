#!/bin/sh
# The guest's first process, in the initial RAM disk: mounts the root disk and hands over to its init. If the kernel's
# command line has `harness.probe`, it only shows that this machine can run a guest at all, and powers off.

mount -t proc proc /proc
mount -t devtmpfs dev /dev
mount -t sysfs sys /sys

if grep -qw 'harness\.probe' /proc/cmdline; then
    echo 'harness-probe: ok'
    poweroff -f
fi

# Ending the first process makes the kernel panic, which nobody overlooks.
fail() {
    echo "harness-initrd: $1"
    exit 1
}

for module in /modules/*.ko.xz; do
    unxz -c "$module" >/module.ko || fail "cannot unpack $module"
    insmod /module.ko || fail "cannot load $module"
done

# Persistent memory is numbered in no certain order, and a device that was announced may not open for a moment yet. Who
# finds the disk by its label has read it; a mount that is tried too early makes the kernel log an error.
mount_root() {
    disk=$(findfs LABEL=root) && mount -t ext4 "$disk" /root
}

tries=500
until mount_root; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || fail 'no disk with a root file system appeared within 10 seconds'
    sleep 0.02
done

# What makes the image one host comes on a disk of its own, as a tar archive, and is unpacked before the first boot.
for disk in /sys/block/vd?; do
    if grep -qx seed "$disk/serial" && [ ! -e /root/var/lib/harness/seeded ]; then
        tar -x -f "/dev/${disk##*/}" -C /root || fail "cannot unpack the seed on ${disk##*/}"
        touch /root/var/lib/harness/seeded
    fi
done
umount /proc /sys
mount -o move /dev /root/dev
exec switch_root /root /sbin/init
