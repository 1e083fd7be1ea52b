#!/usr/bin/env bash
# Run by prepare.sh in the namespaces of in-root.sh, with this machine's network: fills the engine in the folder $1 with
# the images of docker-compose.yml, pulled or made. images.env names those that were made, in the file's variables. With
# a file $2, it saves there what the development overlay of Kubernetes runs, under the names that this gives it.
set -eu

folder=$1
here=$(cd "$(dirname "$0")" && pwd)
repository=$(cd "$here/../.." && pwd)
root=$folder/root
compose=$repository/docker-compose.yml

in_root() { nsenter --mount=/proc/self/ns/mnt "$@"; }
docker() { in_root docker --host "unix://$folder/socket" "$@"; }

# Neither bridges nor filter rules: whatever this builds has this machine's network.
rm -rf "$folder/run" "$folder/run.pid" "$folder/socket"
in_root dockerd --data-root "$folder/engine" --exec-root "$folder/run" --pidfile "$folder/run.pid" \
  --host "unix://$folder/socket" --cgroup-parent /dondoc-engine --bridge none --iptables=false --ip-forward=false \
  >"$folder/logs/build-engine.log" 2>&1 &
engine=$!
until docker version >/dev/null 2>&1; do
  kill -0 $engine
  sleep 0.2
done

# Prints NAME IMAGE for each image of others that the file names as ${DONDOC_NAME_IMAGE:-IMAGE}.
named_images() { sed -nE 's/.*\$\{DONDOC_([A-Z]+)_IMAGE:-([^}]+)\}.*/\1 \2/p' "$compose"; }

pull() {
  local image
  while read -r _ image; do
    timeout 120 docker pull --quiet "$image" || return 1
  done < <(named_images)
  : >"$folder/images.env"
}

make_stand_ins() {
  local name
  tar --create --directory "$root" --one-file-system --exclude ".$repository" --exclude ".$folder" . | docker import - debian-stand-in
  : >"$folder/images.env.new"
  while read -r name _; do
    docker build --quiet --network host --tag "stand-in/${name,,}" "$folder/stand-ins/${name,,}"
    echo "DONDOC_${name}_IMAGE=stand-in/${name,,}" >>"$folder/images.env.new"
  done < <(named_images)
  mv "$folder/images.env.new" "$folder/images.env"
}

inputs=$(cat "$folder/root.inputs" "$folder/stand-ins.inputs" && named_images)
if [ "$(cat "$folder/others.inputs" 2>/dev/null)" != "$inputs" ]; then
  pull || make_stand_ins
  printf %s "$inputs" >"$folder/others.inputs"
fi

# The project's own images, as `docker-compose build` makes them; the layers of the last time are used again.
. "$folder/images.env"
build() { # build TAG TARGET
  docker build --network host --tag "$1" --target "$2" --build-arg "DONDOC_COMMIT=$(git -C "$repository" rev-parse --short HEAD)" \
    ${DONDOC_PYTHON_IMAGE:+--build-arg "PYTHON_IMAGE=$DONDOC_PYTHON_IMAGE"} "$repository"
}
build "$(sed -nE 's/^ *image: (dondoc:.*)$/\1/p' "$compose")" application
build "$(sed -nE 's/^ *image: (dondoc-development:.*)$/\1/p' "$compose")" development

if [ -n "${2:-}" ]; then
  archived=("$(sed -nE 's/^ *image: (dondoc:.*)$/\1/p' "$compose")" "$(sed -nE 's/^ *image: (dondoc-development:.*)$/\1/p' "$compose")")
  while read -r name image; do
    [[ " KAFKA MONGO MAILPIT " == *" $name "* ]] || continue
    made=DONDOC_${name}_IMAGE
    docker tag "${!made:-$image}" "${image%@*}"
    archived+=("${image%@*}")
  done < <(named_images)
  docker build --quiet --tag stand-in/pause "$here/../cluster/pause"
  # An archive that is written anew would be read anew by the node.
  ids=$(docker inspect --format '{{.Id}}' "${archived[@]}" stand-in/pause)
  if [ ! -f "$2" ] || [ "$(cat "$2.ids" 2>/dev/null)" != "$ids" ]; then
    docker save --output "$2" "${archived[@]}" stand-in/pause
    printf %s "$ids" >"$2.ids"
  fi
fi
