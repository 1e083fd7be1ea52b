#!/usr/bin/env bash
# Makes in the folder $1 what `make cluster` needs beside what tests/containers/prepare.sh has made there: the programs of
# a Kubernetes node from their Go modules, and an archive of the images.
set -eu

folder=$1
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../containers/steps.sh"

require_root
require go golang-go

version=$(sed -nE 's/^\tk8s.io\/kubernetes (v[0-9.]+).*/\1/p' "$here/node/go.mod")

make_node() {
  local minor=${version#v1.} package=k8s.io/component-base/version
  cd "$here/node"
  go build -ldflags "-s -w -X $package.gitVersion=$version -X $package.gitMajor=1 -X $package.gitMinor=${minor%%.*}" \
    -o "$folder/cluster/node" .
}

step node "$(cd "$here/node" && cat go.mod go.sum ./*.go | sha256sum)" make_node
# The builder knows what is new; an archive of the same images is kept.
step images "$(date +%s)" env SHARE_NETWORK=1 \
  "$here/../containers/in-root.sh" "$folder/root" "$here/../containers/images.sh" "$folder" "$folder/images.tar"
