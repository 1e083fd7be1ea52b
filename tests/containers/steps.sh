# Sourced by the scripts that prepare: steps that run once for their inputs, and what this machine must have.
# shellcheck shell=bash disable=SC2154 # whoever sources this has set folder

die() {
  echo "prepare: $*" >&2
  exit 2
}

require_root() { [ "$(id -u)" -eq 0 ] || die "only root can start an engine; run this as root"; }

require() { # require COMMAND PACKAGE [COMMAND PACKAGE]...
  while [ $# -gt 0 ]; do
    command -v "$1" >/dev/null 2>&1 || die "$1 is missing; on Debian: apt-get install $2"
    shift 2
  done
}

# Runs a command unless it succeeded with the same inputs before. What it prints is shown if it fails.
step() { # step NAME INPUTS COMMAND...
  local name=$1 inputs=$2 stamp=$folder/$1.inputs log=$folder/logs/$1.log
  shift 2
  [ "$(cat "$stamp" 2>/dev/null)" = "$inputs" ] && return 0
  echo "prepare: $name"
  rm -f "$stamp"
  mkdir -p "$folder/logs"
  if ! (set -e && "$@") >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    die "$name failed; all that it printed is in $log"
  fi
  printf %s "$inputs" >"$stamp"
}
