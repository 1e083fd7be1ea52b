#!/usr/bin/env bash
# What the two commands need from the machine. Names all that is missing at once, with the one command that brings it.
# `preflight.sh go` asks for what `make chaos` needs besides.
set -u

python="${PYTHON:-python3}"
missing=()
packages=()

lacks() { # lacks WHAT PACKAGE...
  missing+=("$1")
  shift
  packages+=("$@")
}

if ! command -v "$python" >/dev/null 2>&1; then
  lacks "Python 3.11 or newer ($python is not there; name another one with PYTHON=...)" python3 python3-venv
elif ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  lacks "Python 3.11 or newer ($python is $("$python" -V 2>&1); name another one with PYTHON=...)" python3 python3-venv
elif ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  lacks "Python's venv module" python3-venv
fi

java_major() { java -version 2>&1 | sed -nE 's/.*version "([0-9]+).*/\1/p' | head -n 1; }
if ! command -v java >/dev/null 2>&1; then
  lacks "a Java 17 or newer runtime (for the Kafka broker)" openjdk-17-jre-headless
elif [ "$(java_major)" -lt 17 ] 2>/dev/null; then
  lacks "a Java 17 or newer runtime (java is $(java_major))" openjdk-17-jre-headless
fi

go_minor() { go version 2>&1 | sed -nE 's/.*go1\.([0-9]+).*/\1/p' | head -n 1; }
if [ "${1:-}" = go ]; then
  if ! command -v go >/dev/null 2>&1; then
    lacks "Go 1.19 or newer (make chaos needs Go: it builds Toxiproxy, which slows and breaks connections)" golang-go
  elif [ "$(go_minor)" -lt 19 ] 2>/dev/null; then
    lacks "Go 1.19 or newer (make chaos needs Go: it builds Toxiproxy; go is 1.$(go_minor))" golang-go
  fi
fi

command -v mvn >/dev/null 2>&1 || lacks "Maven (fetches the broker's jars)" maven

[ "${#missing[@]}" -eq 0 ] && exit 0

{
  echo "Missing on this machine:"
  printf '  - %s\n' "${missing[@]}"
  if command -v apt-get >/dev/null 2>&1; then
    sudo=""
    [ "$(id -u)" -eq 0 ] || sudo="sudo "
    echo "This brings it:"
    echo "  ${sudo}apt-get update && ${sudo}apt-get install -y ${packages[*]}"
  else
    echo "Install it with your system's package manager (Debian's names: ${packages[*]})."
  fi
} >&2
exit 2
