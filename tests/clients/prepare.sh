#!/usr/bin/env bash
# Fetches what `make clients` tests with into the folder $1, each with the version named here or in its own file: the
# CloudEvents SDKs of four languages, two libraries that SMS centres are made of, and the OpenTelemetry collector. A
# language whose tool is missing is named aloud and left out; its test is skipped.
set -eu

folder=$1
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$folder"

has() { # has TOOL PACKAGE LANGUAGE
  command -v "$1" >/dev/null 2>&1 && return 0
  echo "clients: $3 is skipped, for $1 is not installed (Debian: apt-get install $2)"
  return 1
}

# Its other dependencies are those of the project already.
"${PYTHON:-python3}" -m pip install --quiet --target "$folder/python" --upgrade --no-deps cloudevents==2.2.0 deprecation==2.1.0

if has npm npm JavaScript; then
  mkdir -p "$folder/javascript"
  cp "$here/javascript/package.json" "$here/javascript/send.mjs" "$folder/javascript/"
  npm install --prefix "$folder/javascript" --silent --no-package-lock --no-audit --no-fund
fi

if has go golang-go Go; then
  (cd "$here/go" && go build -o "$folder/go/send" .)
  (cd "$here/collector" && go build -o "$folder/collector/collector" .)
fi

if has javac openjdk-17-jdk-headless Java && has mvn maven Java; then
  mvn -q -B -Dstyle.color=never -f "$here/java/pom.xml" dependency:copy-dependencies -DoutputDirectory="$folder/java"
  javac -cp "$folder/java/*" -d "$folder/java" "$here/java/Send.java"
fi

if has npm npm "the SMS centre of npm"; then
  mkdir -p "$folder/sms-npm"
  cp "$here/sms/npm/package.json" "$here/sms/npm/centre.mjs" "$folder/sms-npm/"
  npm install --prefix "$folder/sms-npm" --silent --no-package-lock --no-audit --no-fund
fi

if has javac openjdk-17-jdk-headless "the SMS centre of jSMPP" && has mvn maven "the SMS centre of jSMPP"; then
  mvn -q -B -Dstyle.color=never -f "$here/sms/jsmpp/pom.xml" dependency:copy-dependencies -DoutputDirectory="$folder/sms-jsmpp"
  javac -cp "$folder/sms-jsmpp/*" -d "$folder/sms-jsmpp" "$here/sms/jsmpp/Centre.java"
fi
