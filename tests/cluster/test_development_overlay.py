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
    """The first replica answers under its own name inside the cluster, as the runbook asks it."""
    script = "import urllib.request as r; print(r.urlopen('http://intake-0.intake-replicas:8001/livez').status)"
    assert node.kubectl("-n", "dondoc", "exec", "deploy/rules", "--", "python", "-c", script).strip() == "200"


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
    node.kubectl("delete", "--kustomize", str(OVERLAY), "--timeout=240s")
    assert node.get("pods", "--all-namespaces")["items"] == []
