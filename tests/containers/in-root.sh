#!/usr/bin/env bash
# in-root.sh ROOT COMMAND...: runs COMMAND where an engine can be started and nothing of it stays. ROOT is the file
# system of prepare.sh. Processes and mounts are in namespaces of their own, which end with COMMAND whatever it leaves
# running; so is the network, unless SHARE_NETWORK is set: bridges, filter rules and published ports are nobody else's.
# COMMAND sees this machine's files, and `nsenter --mount=/proc/self/ns/mnt` from it those of ROOT, in which the folders of
# this repository and around ROOT have their places. ROOT is the real root there: `docker exec` enters a container's
# mounts by their root, which a mere chroot leaves as it was.
set -eu

root=$1
shift
network=(--net)
[ -z "${SHARE_NETWORK:-}" ] || network=()
repository=$(cd "$(dirname "$0")/../.." && pwd)

enter() { # runs within the namespaces
  root=$1 repository=$2 here=$PWD
  shift 2
  ip link set lo up
  mount --bind "$root" "$root"
  for folder in proc sys dev; do mount --rbind "/$folder" "$root/$folder"; done
  for folder in "$repository" "$(dirname "$root")"; do
    mkdir -p "$root$folder"
    mount --bind "$folder" "$root$folder"
  done
  mount -t tmpfs tmpfs "$root/run" # sockets of programs that have ended would be taken for theirs
  mkdir -p "$root/machine"
  cd "$root"
  pivot_root . machine
  exec chroot /machine env --chdir "$here" "$@"
}

# Control groups are in no namespace.
remove_groups() { find /sys/fs/cgroup -depth -type d -path '*/dondoc-engine*' -exec rmdir {} + 2>/dev/null || true; }
trap remove_groups EXIT

export -f enter
setpriv --pdeathsig KILL unshare --mount --pid --ipc --uts "${network[@]}" --fork --kill-child --mount-proc \
  bash -euc 'enter "$@"' enter "$root" "$repository" "$@"
