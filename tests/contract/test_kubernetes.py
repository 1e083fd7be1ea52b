"""The Kubernetes manifests, read without a cluster: complete, hardened, and true to the code."""

import importlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from deploy.kafka.acls import USERS
from deploy.kubernetes import __main__ as rendering
from services.reporting.settings import ReportingSettings
from services.runtime.settings import SecurityProtocol, ServiceSettings
from services.runtime.state.active_database import STANDBY_SUFFIX
from tests.support.servers.certificates import Authority

ROOT = Path(__file__).parents[2]
KUBERNETES = ROOT / "deploy/kubernetes"
FOLDER = KUBERNETES / "base"
SERVICES = ("intake", "rules", "notifier", "reporting")
JOBS = ("publish", "contacts")
WORKLOADS = (*SERVICES, "audit")  # nobody sends the audit requests, and one that is away for a minute is not missed
OUR_USER = 10001
LISTED = "kustomization.yaml"

Manifest = Mapping[str, Any]


def read_all(path: Path) -> list[Manifest]:
    """Return the objects of one file."""
    return list(YAML(typ="safe").load_all(path))


@cache
def manifests() -> list[Manifest]:
    """Return every object that the kustomization lists, in order."""
    names = YAML(typ="safe").load(FOLDER / LISTED)["resources"]
    return [document for name in names for document in read_all(FOLDER / name)]


def of_kind(*kinds: str) -> dict[str, Manifest]:
    """Return the objects of some kinds by name."""
    return {one["metadata"]["name"]: one for one in manifests() if one["kind"] in kinds}


def workload(service: str) -> Manifest:
    """Return what runs a service."""
    return of_kind("Deployment", "StatefulSet", "Job")[service]


def pod_of(service: str) -> Manifest:
    """Return the pod of a service."""
    pod: Manifest = workload(service)["spec"]["template"]["spec"]
    return pod


def container_of(service: str) -> Manifest:
    """Return its only container."""
    (container,) = pod_of(service)["containers"]
    found: Manifest = container
    return found


def port_of(service: str) -> int:
    """Return the port that the service's own settings name."""
    return int(settings_of(service).model_fields["port"].default)


def settings_of(service: str) -> type[ServiceSettings]:
    """Return the class of its settings."""
    module = "services.console.audit.settings" if service == "audit" else f"services.{service}.settings"
    found: type[ServiceSettings] = getattr(importlib.import_module(module), f"{service.capitalize()}Settings")
    return found


def test_every_file_is_listed_and_every_object_has_its_place() -> None:
    """Nothing lies beside the kustomization unapplied, and no secret is among it."""
    files = {path.name for path in FOLDER.glob("*.yaml")} - {LISTED}
    assert set(YAML(typ="safe").load(FOLDER / LISTED)["resources"]) == files
    assert set(of_kind("Deployment", "StatefulSet")) == set(WORKLOADS)
    assert set(of_kind("Job")) == set(JOBS)
    assert set(of_kind("Service")) == {*SERVICES, "intake-replicas"}
    assert set(of_kind("PodDisruptionBudget")) == set(SERVICES)
    assert of_kind("Secret") == {}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_runs_the_module_of_its_name_on_its_own_port(service: str) -> None:
    """The image is that of the compose file; container, probes and service agree on the port, scraping on another."""
    container, port = container_of(service), port_of(service)
    compose = YAML(typ="safe").load(ROOT / "docker-compose.yml")["services"][service]
    assert container["image"] == compose["image"]
    assert container["args"] == compose["command"]
    (admin,) = (int(one["value"]) for one in container["env"] if one["name"] == f"DONDOC_ADMIN_PORT_{service.upper()}")
    assert admin != port
    assert container["ports"] == [{"name": "http", "containerPort": port}, {"name": "admin", "containerPort": admin}]
    assert {"name": "DONDOC_PORT", "value": str(port)} in container["env"]
    assert of_kind("Service")[service]["spec"]["ports"] == [{"name": "http", "port": port, "targetPort": "http"}]
    annotations = workload(service)["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/port"] == str(admin)


def test_the_audit_runs_as_in_the_compose_file_on_its_own_port() -> None:
    """Command, port and scraping agree with compose and the audit's settings."""
    container, port = container_of("audit"), port_of("audit")
    compose = YAML(typ="safe").load(ROOT / "docker-compose.yml")["services"]["audit"]
    assert container["args"] == compose["command"]
    assert container["ports"] == [{"name": "admin", "containerPort": port}]
    assert {"name": "DONDOC_PORT", "value": str(port)} in container["env"]
    assert workload("audit")["spec"]["template"]["metadata"]["annotations"]["prometheus.io/port"] == str(port)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_people_reach_stays_reachable_without_the_broker(service: str) -> None:
    """Readiness by `/readyz` would take intake away just when its spool is needed; the others may use it."""
    container = container_of(service)
    for probe in ("startupProbe", "livenessProbe"):
        assert container[probe]["httpGet"] == {"path": "/livez", "port": "http"}
    wanted = "/livez" if service in {"intake", "reporting"} else "/readyz"
    assert container["readinessProbe"]["httpGet"] == {"path": wanted, "port": "http"}


@pytest.mark.parametrize("service", [*WORKLOADS, *JOBS])
def test_a_service_may_do_no_more_than_it_must(service: str) -> None:
    """Not root, nothing writable but what is mounted, no capability, no token, bounded memory."""
    pod, container = pod_of(service), container_of(service)
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == OUR_USER
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    allowed = container["securityContext"]
    assert allowed["readOnlyRootFilesystem"] is True
    assert allowed["allowPrivilegeEscalation"] is False
    assert allowed["capabilities"] == {"drop": ["ALL"]}
    assert set(container["resources"]["limits"]) == {"memory", "ephemeral-storage"}
    assert set(container["resources"]["requests"]) == {"cpu", "memory", "ephemeral-storage"}


@pytest.mark.parametrize("service", SERVICES)
def test_every_selector_meets_its_pods(service: str) -> None:
    """Workload, service and disruption budget select by the label that the pod bears."""
    label = {"app.kubernetes.io/name": service}
    assert label.items() <= workload(service)["spec"]["template"]["metadata"]["labels"].items()
    assert workload(service)["spec"]["selector"]["matchLabels"] == label
    assert of_kind("Service")[service]["spec"]["selector"] == label
    assert of_kind("PodDisruptionBudget")[service]["spec"]["selector"]["matchLabels"] == label


@pytest.mark.parametrize("service", WORKLOADS)
def test_what_has_ended_is_collected_and_term_comes_last(service: str) -> None:
    """The pod's own process is the init; who is sent requests gets TERM after everybody was told to send no more."""
    assert pod_of(service)["shareProcessNamespace"] is True
    if service in SERVICES:
        assert container_of(service)["lifecycle"] == {"preStop": {"exec": {"command": ["sleep", "5"]}}}
    assert pod_of(service)["terminationGracePeriodSeconds"] >= 30


def test_each_replica_of_intake_has_a_name() -> None:
    """The StatefulSet's service has no address of its own, so that intake-0.intake-replicas resolves, ready or not."""
    replicas = of_kind("Service")[workload("intake")["spec"]["serviceName"]]["spec"]
    assert replicas["clusterIP"] == "None"
    assert replicas["publishNotReadyAddresses"] is True
    assert replicas["selector"] == of_kind("Service")["intake"]["spec"]["selector"]


@pytest.mark.parametrize("job", JOBS)
def test_a_job_is_tried_again_and_removed(job: str) -> None:
    """Before the broker is there it fails; after it has succeeded the next version of it can be applied."""
    spec = workload(job)["spec"]
    assert spec["backoffLimit"] >= 10
    assert spec["ttlSecondsAfterFinished"] <= 600
    assert spec["template"]["spec"]["restartPolicy"] == "OnFailure"


@pytest.mark.parametrize("service", [*WORKLOADS, *JOBS])
def test_every_volume_that_is_mounted_is_there(service: str) -> None:
    """A mount names a volume of the pod or a claim of the workload."""
    claims = {one["metadata"]["name"] for one in workload(service)["spec"].get("volumeClaimTemplates", [])}
    volumes = {one["name"] for one in pod_of(service)["volumes"]} | claims
    assert {one["name"] for one in container_of(service)["volumeMounts"]} == volumes


def test_every_variable_given_is_a_setting() -> None:
    """A variable that no page explains is a misspelt one."""
    documented = (ROOT / "docs/reference/settings.md").read_text(encoding="utf-8")
    given = {name for one in of_kind("ConfigMap").values() for name in one["data"]}
    given |= {variable["name"] for service in (*WORKLOADS, *JOBS) for variable in container_of(service)["env"]}
    assert sorted(name for name in given if f"`{name}`" not in documented) == []


@pytest.mark.parametrize("service", WORKLOADS)
def test_what_a_service_is_given_makes_its_settings(
    service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The settings class accepts the ConfigMap and the container's own variables, secrets filled in."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "password").write_text("a-secret", encoding="utf-8")
    Authority(tmp_path, "ca").certificate.rename(tmp_path / "ca.crt")
    shared = of_kind("ConfigMap")["dondoc"]["data"]
    own = {one["name"]: one.get("value", "a-secret-of-more-than-32-letters") for one in container_of(service)["env"]}
    mounted = {one["name"]: one["mountPath"] for one in container_of(service)["volumeMounts"]}
    for name, value in {**shared, **own}.items():
        monkeypatch.setenv(name, str(value).replace(mounted["kafka"], str(tmp_path)))
    settings = settings_of(service)()
    assert (settings.host, settings.port) == ("0.0.0.0", port_of(service))  # noqa: S104 - inside its pod
    assert settings.kafka_bootstrap == shared["DONDOC_KAFKA_BOOTSTRAP"]
    assert settings.kafka.protocol is SecurityProtocol.SASL_SSL


def test_intake_has_room_for_its_spool() -> None:
    """The volume is larger than the bound: the copy of the documents lies there too."""
    settings = {one["name"]: one.get("value") for one in container_of("intake")["env"]}
    (claim,) = workload("intake")["spec"]["volumeClaimTemplates"]
    gibibytes = int(claim["spec"]["resources"]["requests"]["storage"].removesuffix("Gi"))
    assert int(settings["DONDOC_INTAKE_SPOOL_MAX_BYTES"]) < gibibytes * 1024**3


def test_nothing_is_reachable_that_no_policy_names() -> None:
    """Everything is denied first, in both directions."""
    denied = of_kind("NetworkPolicy")["default-deny"]["spec"]
    assert denied == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_nothing_leaves_for_everywhere() -> None:
    """Each rule says where to and on which port; outside the cluster it is one address, which an overlay sets."""
    rules = [rule for one in of_kind("NetworkPolicy").values() for rule in one["spec"].get("egress", [])]
    assert rules
    assert [rule for rule in rules if not rule.get("to") or not rule.get("ports")] == []
    blocks = [peer["ipBlock"]["cidr"] for rule in rules for peer in rule["to"] if "ipBlock" in peer]
    assert [cidr for cidr in blocks if not cidr.endswith("/32")] == []


def test_only_monitoring_reaches_the_admin_ports() -> None:
    """Metrics are nobody else's: the ingress reaches the port of the service alone."""
    admitted = {
        name: one["spec"]["ingress"] for name, one in of_kind("NetworkPolicy").items() if "ingress" in one["spec"]
    }
    ports = {name: [port["port"] for rule in rules for port in rule["ports"]] for name, rules in admitted.items()}
    assert ports.pop("every-service") == ["admin"]
    assert set(map(tuple, ports.values())) == {("http",)}


def test_a_secret_reaches_the_services_that_need_it_alone() -> None:
    """Each Secret is read by the services that use it: that of the form by two, a password of the broker by one."""
    readers = {
        "form": {"intake", "notifier"},
        "dashboard": {"notifier", "reporting"},
        "contacts": {"notifier", "contacts"},
        "contacts-file": {"contacts"},
        "readers": {"reporting"},
        "reporting-intake": {"reporting"},
        "link-revocations": {"intake", "reporting"},
        "audit-reader": {"audit"},
        "dry-run": {"intake", "rules"},
        "intake-keys": {"intake"},
        "attachments": {"intake"},
        "attachments-reading": {"reporting"},
        "smtp": {"notifier"},
        "smsc": {"notifier"},
        "mongo": {"notifier", "reporting", "contacts"},
        "kafka": {*WORKLOADS, *JOBS},
        **{f"dondoc-{service}": {service} for service in (*WORKLOADS, "publish")},
        "dondoc-notifier": {"notifier", "contacts"},
    }
    found: dict[str, set[str]] = {}
    for service in (*WORKLOADS, *JOBS):
        container = container_of(service)
        names = [one["valueFrom"]["secretKeyRef"]["name"] for one in container["env"] if "valueFrom" in one]
        names += [one["secretRef"]["name"] for one in container["envFrom"] if "secretRef" in one]
        names += [one["secret"]["secretName"] for one in pod_of(service)["volumes"] if "secret" in one]
        projected = [one["projected"]["sources"] for one in pod_of(service)["volumes"] if "projected" in one]
        names += [one["secret"]["name"] for sources in projected for one in sources if "secret" in one]
        for name in names:
            found.setdefault(name, set()).add(service)
    assert found == readers


def test_the_rules_of_the_prometheus_operator_are_the_alerts() -> None:
    """The PrometheusRule is made from the file that Prometheus itself reads."""
    made = rendering.render_rules(rendering.ALERTS.read_text(encoding="utf-8"))
    assert rendering.RULES.read_text(encoding="utf-8") == made, "run `python -m deploy.kubernetes`"
    (rule,) = read_all(rendering.RULES)
    assert rule["spec"] == YAML(typ="safe").load(rendering.ALERTS)


def test_the_operator_finds_the_admin_port_of_every_pod() -> None:
    """The monitor's service selects all of ours, and the job of a target is the name that the alerts ask for."""
    service, monitor = read_all(KUBERNETES / "components/prometheus-operator/monitor.yaml")
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert service["spec"]["ports"][0]["targetPort"] == "admin"
    for one in WORKLOADS:
        labels = workload(one)["spec"]["template"]["metadata"]["labels"]
        assert service["spec"]["selector"].items() <= labels.items()
        assert "admin" in {port["name"] for port in container_of(one)["ports"]}


def test_replicas_follow_the_lag_of_the_services_own_groups() -> None:
    """Group, user and bounds are those of the code, and intake is not scaled: a replica's spool must not go away."""
    scaling = read_all(KUBERNETES / "components/keda/scaling.yaml")
    scaled = {one["metadata"]["name"]: one["spec"] for one in scaling if one["kind"] == "ScaledObject"}
    assert set(scaled) == set(SERVICES) - {"intake"}
    partitions = int(of_kind("ConfigMap")["dondoc"]["data"]["DONDOC_PARTITIONS"])
    rights = {user.name: user.rights for user in USERS}
    for service, spec in scaled.items():
        (trigger,) = spec["triggers"]
        assert spec["minReplicaCount"] == workload(service)["spec"]["replicas"]
        assert spec["maxReplicaCount"] <= partitions
        assert trigger["metadata"]["consumerGroup"] == settings_of(service).model_fields["group"].default
        allowed = {right.name for right in rights[trigger["metadata"]["username"]] if "Read" in right.operations}
        assert {trigger["metadata"]["topic"], trigger["metadata"]["consumerGroup"]} <= allowed


def test_people_reach_the_hosts_that_letters_name() -> None:
    """Each ingress has TLS for its host, and leads to the service of its name, which the policy lets it reach."""
    data = of_kind("ConfigMap")["dondoc"]["data"]
    hosts = {"intake": data["DONDOC_FORM_URL"], "reporting": data["DONDOC_DASHBOARD_URL"]}
    for one in read_all(KUBERNETES / "components/ingress/ingress.yaml"):
        name = one["metadata"]["name"]
        (rule,) = one["spec"]["rules"]
        assert f"https://{rule['host']}" == hosts.pop(name)
        assert [tls["hosts"] for tls in one["spec"]["tls"]] == [[rule["host"]]]
        (path,) = rule["http"]["paths"]
        assert path["backend"]["service"] == {"name": name, "port": {"name": "http"}}
    assert hosts == {}


def test_an_overlay_changes_what_the_base_has() -> None:
    """Each patch names an object of the base, each variable of a patched ConfigMap is one of the base."""
    known = {(one["kind"], one["metadata"]["name"]) for one in manifests()}
    for overlay in ("development", "production"):
        folder = KUBERNETES / "overlays" / overlay
        (listed,) = read_all(folder / LISTED)
        for patch in (document for one in listed["patches"] for document in read_all(folder / one["path"])):
            assert (patch["kind"], patch["metadata"]["name"]) in known
            if patch["kind"] == "ConfigMap":
                assert set(patch["data"]) <= set(of_kind("ConfigMap")["dondoc"]["data"])
        for path in (*listed["resources"], *listed.get("components", [])):
            assert (folder / path).exists()


def test_development_and_compose_run_the_same_versions() -> None:
    """Broker, database and mailbox of the development overlay are those of the compose file."""
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    for name in ("kafka", "mongo", "mail"):
        for one in read_all(KUBERNETES / f"overlays/development/{name}.yaml"):
            for container in one.get("spec", {}).get("template", {}).get("spec", {}).get("containers", []):
                assert container["image"] in compose


def test_the_operators_examples_are_what_the_services_expect() -> None:
    """The broker's listener, its users and the database's names are those of the manifests and settings."""
    kafka = read_all(KUBERNETES / "examples/kafka.yaml")[-1]
    (listener,) = kafka["spec"]["kafka"]["listeners"]
    assert (listener["port"], listener["tls"]) == (9093, True)
    assert kafka["spec"]["kafka"]["authorization"] == {"type": "simple"}
    users = read_all(ROOT / "deploy/kafka/strimzi.yaml")
    assert {one["metadata"]["labels"]["strimzi.io/cluster"] for one in users} == {kafka["metadata"]["name"]}
    (mongo,) = read_all(KUBERNETES / "examples/mongodb.yaml")
    (user,) = mongo["spec"]["users"]
    defaults = {str(settings_of(one).model_fields["mongo_database"].default) for one in ("notifier", "reporting")}
    standby = f"{ReportingSettings.model_fields['mongo_database'].default}{STANDBY_SUFFIX}"
    assert {role["db"] for role in user["roles"]} == {*defaults, standby}
    assert {role["name"] for role in user["roles"]} == {"readWrite"}
