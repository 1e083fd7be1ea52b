#!/usr/bin/env bash
# Made by `python -m deploy.kafka` from deploy/kafka/acls.py; a test holds it to that. Gives each user its rights; to
# run it again changes nothing. The broker needs authorizer.class.name and allow.everyone.if.no.acl.found=false.
#   BOOTSTRAP=kafka:9093 ADMIN_CONFIG=admin.properties deploy/kafka/acls.sh
set -euo pipefail
add() { kafka-acls.sh --bootstrap-server "$BOOTSTRAP" --command-config "$ADMIN_CONFIG" --add "$@"; }
# intake
add --allow-principal User:dondoc-intake --operation Describe --topic dondoc. --resource-pattern-type prefixed
add --allow-principal User:dondoc-intake --operation Read --topic dondoc.references.v1
add --allow-principal User:dondoc-intake --operation Read --operation Write --topic dondoc.facts.v1
# rules; `dondoc dead-letters` of facts and verdicts
add --allow-principal User:dondoc-rules --operation Describe --topic dondoc. --resource-pattern-type prefixed
add --allow-principal User:dondoc-rules --operation Read --topic dondoc.references.v1
add --allow-principal User:dondoc-rules --operation Read --operation Write --topic dondoc.facts.v1
add --allow-principal User:dondoc-rules --operation Read --operation Write --topic dondoc.verdicts.v1
add --allow-principal User:dondoc-rules --operation Read --operation Write --topic dondoc.duties.v1
add --allow-principal User:dondoc-rules --operation Read --topic dondoc.facts.v1.dead-letter
add --allow-principal User:dondoc-rules --operation Read --topic dondoc.verdicts.v1.dead-letter
add --allow-principal User:dondoc-rules --operation Read --topic dondoc.deliveries.v1.dead-letter
add --allow-principal User:dondoc-rules --operation Read --topic dondoc.reports.v1.dead-letter
add --allow-principal User:dondoc-rules --operation Write --topic dondoc.facts.v1.dead-letter
add --allow-principal User:dondoc-rules --operation Read --group dondoc-rules --resource-pattern-type prefixed
add --allow-principal User:dondoc-rules --operation Write --transactional-id dondoc-rules- --resource-pattern-type prefixed
# notifier; `dondoc dead-letters` of deliveries
add --allow-principal User:dondoc-notifier --operation Describe --topic dondoc. --resource-pattern-type prefixed
add --allow-principal User:dondoc-notifier --operation Read --topic dondoc.references.v1
add --allow-principal User:dondoc-notifier --operation Read --topic dondoc.verdicts.v1
add --allow-principal User:dondoc-notifier --operation Read --operation Write --topic dondoc.deliveries.v1
add --allow-principal User:dondoc-notifier --operation Read --topic dondoc.facts.v1.dead-letter
add --allow-principal User:dondoc-notifier --operation Read --topic dondoc.verdicts.v1.dead-letter
add --allow-principal User:dondoc-notifier --operation Read --topic dondoc.deliveries.v1.dead-letter
add --allow-principal User:dondoc-notifier --operation Read --topic dondoc.reports.v1.dead-letter
add --allow-principal User:dondoc-notifier --operation Write --topic dondoc.verdicts.v1.dead-letter
add --allow-principal User:dondoc-notifier --operation Read --group dondoc.notifier --resource-pattern-type prefixed
# reporting
add --allow-principal User:dondoc-reporting --operation Describe --topic dondoc. --resource-pattern-type prefixed
add --allow-principal User:dondoc-reporting --operation Read --topic dondoc.references.v1
add --allow-principal User:dondoc-reporting --operation Read --topic dondoc.facts.v1
add --allow-principal User:dondoc-reporting --operation Read --topic dondoc.verdicts.v1
add --allow-principal User:dondoc-reporting --operation Read --topic dondoc.deliveries.v1
add --allow-principal User:dondoc-reporting --operation Read --operation Write --topic dondoc.reports.v1
add --allow-principal User:dondoc-reporting --operation Read --topic dondoc.facts.v1.dead-letter
add --allow-principal User:dondoc-reporting --operation Read --topic dondoc.verdicts.v1.dead-letter
add --allow-principal User:dondoc-reporting --operation Read --topic dondoc.deliveries.v1.dead-letter
add --allow-principal User:dondoc-reporting --operation Read --topic dondoc.reports.v1.dead-letter
add --allow-principal User:dondoc-reporting --operation Write --topic dondoc.facts.v1.dead-letter
add --allow-principal User:dondoc-reporting --operation Write --topic dondoc.verdicts.v1.dead-letter
add --allow-principal User:dondoc-reporting --operation Write --topic dondoc.deliveries.v1.dead-letter
add --allow-principal User:dondoc-reporting --operation Write --topic dondoc.reports.v1.dead-letter
add --allow-principal User:dondoc-reporting --operation Read --group dondoc-reporting --resource-pattern-type prefixed
add --allow-principal User:dondoc-reporting --operation Describe --group dondoc-rules --resource-pattern-type prefixed
add --allow-principal User:dondoc-reporting --operation Write --transactional-id dondoc-reporting- --resource-pattern-type prefixed
# `dondoc publish`, the first step of an installation
add --allow-principal User:dondoc-publish --operation Create --operation Describe --topic dondoc. --resource-pattern-type prefixed
add --allow-principal User:dondoc-publish --operation Read --operation Write --topic dondoc.references.v1
# `dondoc audit`
add --allow-principal User:dondoc-audit --operation Read --topic dondoc.references.v1
add --allow-principal User:dondoc-audit --operation Read --topic dondoc.facts.v1
add --allow-principal User:dondoc-audit --operation Read --topic dondoc.facts.v1.dead-letter
add --allow-principal User:dondoc-audit --operation Read --topic dondoc.verdicts.v1
add --allow-principal User:dondoc-audit --operation Read --topic dondoc.duties.v1
add --allow-principal User:dondoc-audit --operation Read --topic dondoc.deliveries.v1
add --allow-principal User:dondoc-audit --operation Read --topic dondoc.reports.v1
add --allow-principal User:dondoc-audit --operation Describe --group dondoc-rules --resource-pattern-type prefixed
add --allow-principal User:dondoc-audit --operation Describe --group dondoc-reporting --resource-pattern-type prefixed
