#!/bin/sh
# in-root.sh ROOT FOLDERS COMMAND [ARGUMENT…]: runs a command of another Debian that lies in a folder. It sees this machine's
# processes, devices and network, and FOLDERS (with colons between them) under the same paths. Its mounts are its own and go with
# it. To be started by `unshare --mount`; the process stays the same one.
set -eu
root=$1 folders=$2
shift 2
# pivot_root wants a mount point, and so do `docker import` and `docker run` of an engine in here.
mount --bind "$root" "$root"
for folder in /proc /sys /dev $(printf %s "$folders" | tr : ' '); do
  mkdir -p "$root$folder"
  mount --rbind "$folder" "$root$folder"
done
mount -t tmpfs tmpfs "$root/run"
# Without a resolver nothing is pulled, and without localhost in hosts each push to it waits for ten seconds.
resolver=/etc/resolv.conf
if grep -q '^nameserver 127\.0\.0\.53' $resolver && [ -e /run/systemd/resolve/resolv.conf ]; then resolver=/run/systemd/resolve/resolv.conf; fi
for file in resolv.conf hosts; do
  [ -f "$root/etc/$file" ] || : > "$root/etc/$file"
  if [ $file = hosts ]; then mount --bind /etc/hosts "$root/etc/hosts"; else mount --bind $resolver "$root/etc/resolv.conf"; fi
done
cd "$root"
# The old root lies above the new one until it is taken away.
pivot_root . .
umount -l .
cd /
exec "$@"
