#!/bin/sh
# The guest's first process, in the initial RAM disk: mounts the root disk and hands over to its init. If the kernel's
# command line has `harness.probe`, it only shows that this machine can run a guest at all, and powers off.

mount -t proc proc /proc
mount -t devtmpfs dev /dev

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

tries=500
until [ -b /dev/vda ]; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || fail 'the root disk /dev/vda did not appear within 10 seconds'
    sleep 0.02
done

mount -t ext4 /dev/vda /root || fail 'cannot mount the root disk /dev/vda'
# What makes the image one host comes on a third disk, as a tar archive, and is unpacked before the first boot.
if [ -b /dev/vdc ] && [ ! -e /root/var/lib/harness/seeded ]; then
    tar -x -f /dev/vdc -C /root || fail 'cannot unpack the seed on /dev/vdc'
    touch /root/var/lib/harness/seeded
fi
umount /proc
mount -o move /dev /root/dev
exec switch_root /root /sbin/init
