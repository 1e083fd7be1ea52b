"""The development overlay on a real Kubernetes: a report becomes a mail and a document, and faults heal.

The tests run in this order, on one node; the last one takes the system down. Run by `make cluster`.
"""

import signal

import httpx
import pytest

from tests.cluster.conftest import OVERLAY
from tests.cluster.kubernetes_node import KubernetesNode
from tests.support.clients.installed_system import AGENCY, OTHER_AGENCIES, InstalledSystem, wait_until

pytestmark = pytest.mark.timeout(1800)

SERVICES = ("intake", "rules", "notifier", "reporting")

# Who may connect to whom, by the network policies of the base and of the overlay; the rest of this file shows that the
# connections that are needed are made. Of a pod in another namespace nothing is taken.
CONNECTIONS = {
    ("dondoc", "rules"): {"kafka.kafka:9093": True, "mongo.mongo:27017": False, "reporting.dondoc:8004": False},
    ("dondoc", "notifier"): {"mongo.mongo:27017": True, "mail.mail:1025": True, "mail.mail:8025": False},
    ("mail", "smsc"): {"mail.mail:8025": True, "intake.dondoc:8001": False, "rules.dondoc:8002": False},
}
CONNECT = """\
import socket, sys
for address in sys.argv[1:]:
    host, port = address.split(":")
    try:
        socket.create_connection((f"{host}.svc.cluster.local", int(port)), 8).close()
        print(address, True)
    except TimeoutError:
        print(address, False)
"""


@pytest.mark.usefixtures("installed")
def test_the_cluster_takes_every_object(node: KubernetesNode) -> None:
    """Both Jobs have completed, nothing was refused by the restricted profile, and nothing has been restarted."""
    jobs = node.get("jobs", "-n", "dondoc")["items"]
    assert {one["metadata"]["name"] for one in jobs if one["status"].get("succeeded") == 1} == {"publish", "contacts"}
    pods = node.get("pods", "-n", "dondoc", "-l", "app.kubernetes.io/part-of=dondoc")["items"]
    assert {one["metadata"]["labels"]["app.kubernetes.io/name"] for one in pods} >= {*SERVICES, "audit"}


def test_a_report_becomes_a_mail_and_a_document(installed: InstalledSystem) -> None:
    """The agency is reminded, its report is acknowledged by mail, and the annual report is there in every format."""
    installed.check_report_becomes_mail_and_document()


@pytest.mark.usefixtures("installed")
def test_each_replica_of_intake_has_a_name(node: KubernetesNode) -> None:
    """The first replica answers under its own name inside the cluster; reporting is one of those that may ask it."""
    script = "import urllib.request as r; print(r.urlopen('http://intake-0.intake-replicas:8001/livez').status)"
    assert node.kubectl("-n", "dondoc", "exec", "deploy/reporting", "--", "python", "-c", script).strip() == "200"


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(("namespace", "pod"), CONNECTIONS)
def test_only_connections_that_a_policy_names_are_made(node: KubernetesNode, namespace: str, pod: str) -> None:
    """Each pod reaches what it needs; a connection that no policy names gets no answer."""
    expected = CONNECTIONS[namespace, pod]
    printed = node.kubectl("-n", namespace, "exec", f"deploy/{pod}", "--", "python", "-c", CONNECT, *expected)
    assert printed.split() == [word for address, is_open in expected.items() for word in (address, str(is_open))]


def test_a_killed_service_comes_back_and_goes_on(node: KubernetesNode, installed: InstalledSystem) -> None:
    """The process of rules is killed without warning; the kubelet starts it again, and the report is assessed."""
    node.kill("services.rules", signal.SIGKILL)
    installed.post_report(OTHER_AGENCIES[0])
    installed.wait_until_assessed(OTHER_AGENCIES[0])


def test_what_is_posted_while_the_broker_hangs_is_kept(node: KubernetesNode, installed: InstalledSystem) -> None:
    """Intake acknowledges out of its spool, and delivers it once the broker answers."""
    node.kill("kafka.Kafka", signal.SIGSTOP)
    try:
        receipt = installed.post_report(OTHER_AGENCIES[1])
    finally:
        node.kill("kafka.Kafka", signal.SIGCONT)
    wait_until(
        lambda: installed.read(f"/v1/receipts/{receipt}").status_code == httpx.codes.OK, "the receipt is in the log"
    )
    installed.wait_until_assessed(OTHER_AGENCIES[1])


def test_a_new_version_is_rolled_out(node: KubernetesNode, installed: InstalledSystem) -> None:
    """Every service is started anew, one after the other; what was reported is there afterwards."""
    for kind in ("deployments", "statefulsets"):
        node.kubectl("-n", "dondoc", "rollout", "restart", kind)
    node.wait_until_available()
    installed.wait_until_assessed(AGENCY)


@pytest.mark.usefixtures("installed")
def test_taken_down_it_leaves_nothing(node: KubernetesNode) -> None:
    """With the overlay deleted, no pod is left."""
    # A Job is gone five minutes after its end.
    node.kubectl("delete", "--kustomize", str(OVERLAY), "--ignore-not-found", "--timeout=240s")
    assert node.get("pods", "--all-namespaces")["items"] == []
