"""Renders the table of rights: as commands for `kafka-acls.sh`, as manifests for Strimzi, as a page for people."""

import shlex
from collections.abc import Iterator

from deploy.kafka.acls import USERS, AccessRight, BusUser

SCRIPT_HEAD = """\
#!/usr/bin/env bash
# Made by `python -m deploy.kafka` from deploy/kafka/acls.py; a test holds it to that. Gives each user its rights; to
# run it again changes nothing. The broker needs authorizer.class.name and allow.everyone.if.no.acl.found=false.
#   BOOTSTRAP=kafka:9093 ADMIN_CONFIG=admin.properties deploy/kafka/acls.sh
set -euo pipefail
add() { kafka-acls.sh --bootstrap-server "$BOOTSTRAP" --command-config "$ADMIN_CONFIG" --add "$@"; }
"""
MANIFEST_HEAD = """\
# Made by `python -m deploy.kafka` from deploy/kafka/acls.py; a test holds it to that. For a cluster that Strimzi runs:
# name it in strimzi.io/cluster. Each user's password is then in the Secret of its name.
"""
PAGE_HEAD = (
    "# Access to the bus\n\n"
    "Made by `python -m deploy.kafka` from [`deploy/kafka/acls.py`](../../deploy/kafka/acls.py). Each service has a"
    " user of its own, which may do what stands here and nothing else:\n"
    "only intake and rules write facts, only rules writes verdicts and its state, only the notifier writes deliveries,"
    " and only `dondoc publish` writes plans and creates topics.\n"
    "[`acls.sh`](../../deploy/kafka/acls.sh) has the commands, [`strimzi.yaml`](../../deploy/kafka/strimzi.yaml) the"
    " same for Strimzi; the [runbook](../../deploy/runbook.md#guard-the-bus) says how to switch it on.\n\n"
    "`tests/integration/runtime/kafka/test_acls.py` runs all services with these rights on a broker with an authorizer,"
    " and tries what they forbid.\n\n"
    "A name that ends in `*` stands for all names that begin so. `Read` and `Write` include `Describe`. Producers are"
    " idempotent, which needs nothing besides `Write`. Nobody has a right on the cluster.\n"
)


def render_script(users: tuple[BusUser, ...] = USERS) -> str:
    """Return the commands, one a right."""
    return SCRIPT_HEAD + "".join(f"{line}\n" for user in users for line in _commands(user))


def render_manifests(users: tuple[BusUser, ...] = USERS) -> str:
    """Return a `KafkaUser` for each user."""
    return MANIFEST_HEAD + "---\n".join(_manifest(user) for user in users)


def render_page(users: tuple[BusUser, ...] = USERS) -> str:
    """Return the page, with a table for each user."""
    return PAGE_HEAD + "".join(_chapter(user) for user in users)


def _commands(user: BusUser) -> Iterator[str]:
    yield f"# {user.purpose}"
    for right in user.rights:
        pattern = " --resource-pattern-type prefixed" if right.is_prefix else ""
        operations = " ".join(f"--operation {one}" for one in right.operations)
        name = shlex.quote(right.name)
        yield f"add --allow-principal User:{user.name} {operations} --{right.resource} {name}{pattern}"


def _manifest(user: BusUser) -> str:
    head = f"""\
apiVersion: kafka.strimzi.io/v1beta2
kind: KafkaUser
metadata: {{name: {user.name}, labels: {{strimzi.io/cluster: kafka}}}}
spec:
  authentication: {{type: scram-sha-512}}
  authorization:
    type: simple
    acls:
"""
    return head + "".join(f"      - {_acl(right)}\n" for right in user.rights)


def _acl(right: AccessRight) -> str:
    kind = "transactionalId" if right.resource == "transactional-id" else right.resource
    pattern = "prefix" if right.is_prefix else "literal"
    operations = ", ".join(right.operations)
    return f"{{resource: {{type: {kind}, name: {right.name}, patternType: {pattern}}}, operations: [{operations}]}}"


def _chapter(user: BusUser) -> str:
    rows = "".join(
        f"| {right.resource} `{right.name}{'*' if right.is_prefix else ''}` | {', '.join(right.operations)} |"
        f" {right.reason} |\n"
        for right in user.rights
    )
    return f"\n## {user.name}\n\nFor {user.purpose}.\n\n| on | may | because it |\n| --- | --- | --- |\n{rows}"
