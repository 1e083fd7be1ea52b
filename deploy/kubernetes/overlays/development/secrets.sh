#!/usr/bin/env bash
# secrets.sh FOLDER: makes new keys in FOLDER with `dondoc`, and the Secrets of the development overlay from them. Prints
# the key of a system that may post for every agency, and that of a reader who may read everything.
set -euo pipefail

folder=$1
mkdir -p "$folder"
export DONDOC_INTAKE_KEYS=$folder/keys.json DONDOC_INTAKE_SIGNING_KEYS=$folder/signing-keys.json
export DONDOC_REPORTING_READERS=$folder/readers.json

key_in() { sed -nE 's/.*"key": *"([^"]+)".*/\1/p'; }

secret() { # secret NAME ARGUMENTS...
  kubectl -n dondoc create secret generic "$@" --dry-run=client -o yaml | kubectl apply -f - >/dev/null
}

dondoc receipt rotate >/dev/null
sender=$(dondoc keys create --system sender --agency '*' --source urn:qlvb:tinh | key_in)
dondoc keys create --system reporting --agency '*' --source urn:dondoc:reporting --reviews --save "$folder/reporting.key" >/dev/null
reader=$(dondoc readers create --name officer --scope all --reviews --seals | key_in)
audit=$(dondoc readers create --name audit --scope all | key_in)
dondoc readers link officer >/dev/null # makes the key that signs links

kubectl create namespace dondoc --dry-run=client -o yaml | kubectl apply -f - >/dev/null
secret intake-keys --from-file="$folder/keys.json" --from-file="$folder/signing-keys.json"
secret readers --from-file="$folder/readers.json" --from-file="$folder/reader-links.key"
secret reporting-intake --from-file=key="$folder/reporting.key"
secret audit-reader --from-literal=key="$audit"
secret mongo --from-literal=url='mongodb://mongo.mongo.svc:27017/?replicaSet=rs0'
secret dry-run --from-literal=key="$(head -c 33 /dev/urandom | base64)"
secret smsc --from-literal=system-id=dondoc --from-literal=password=dondoc

echo "sender $sender"
echo "reader $reader"
