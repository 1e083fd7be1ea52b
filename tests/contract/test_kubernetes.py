"""The Kubernetes manifests, read without a cluster: complete, hardened, and true to the code."""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from services.runtime.settings import SecurityProtocol, ServiceSettings
from tests.support.servers.certificates import Authority

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy/kubernetes"
SERVICES = ("intake", "rules", "notifier", "reporting")
WORKLOADS = (*SERVICES, "audit")  # nobody sends the audit requests, and one that is away for a minute is not missed
OUR_USER = 10001
LISTED = "kustomization.yaml"

Manifest = Mapping[str, Any]


def manifests() -> list[Manifest]:
    """Return every object that the kustomization lists, in order."""
    names = YAML(typ="safe").load(FOLDER / LISTED)["resources"]
    return [document for name in names for document in YAML(typ="safe").load_all(FOLDER / name)]


def of_kind(*kinds: str) -> dict[str, Manifest]:
    """Return the objects of some kinds by name."""
    return {one["metadata"]["name"]: one for one in manifests() if one["kind"] in kinds}


def workload(service: str) -> Manifest:
    """Return what runs a service."""
    return of_kind("Deployment", "StatefulSet")[service]


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
    assert set(of_kind("Service")) == set(SERVICES)
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


@pytest.mark.parametrize("service", WORKLOADS)
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
    assert container["resources"]["limits"]["memory"]
    assert set(container["resources"]["requests"]) == {"cpu", "memory"}


@pytest.mark.parametrize("service", SERVICES)
def test_every_selector_meets_its_pods(service: str) -> None:
    """Workload, service and disruption budget select by the label that the pod bears."""
    label = {"app.kubernetes.io/name": service}
    assert label.items() <= workload(service)["spec"]["template"]["metadata"]["labels"].items()
    assert workload(service)["spec"]["selector"]["matchLabels"] == label
    assert of_kind("Service")[service]["spec"]["selector"] == label
    assert of_kind("PodDisruptionBudget")[service]["spec"]["selector"]["matchLabels"] == label


@pytest.mark.parametrize("service", WORKLOADS)
def test_every_volume_that_is_mounted_is_there(service: str) -> None:
    """A mount names a volume of the pod or a claim of the workload."""
    claims = {one["metadata"]["name"] for one in workload(service)["spec"].get("volumeClaimTemplates", [])}
    volumes = {one["name"] for one in pod_of(service)["volumes"]} | claims
    assert {one["name"] for one in container_of(service)["volumeMounts"]} == volumes


def test_every_variable_given_is_a_setting() -> None:
    """A variable that no page explains is a misspelt one."""
    documented = (ROOT / "docs/reference/settings.md").read_text(encoding="utf-8")
    given = {name for one in of_kind("ConfigMap").values() for name in one["data"]}
    given |= {variable["name"] for service in WORKLOADS for variable in container_of(service)["env"]}
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
        "contacts": {"notifier"},
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
        "mongo": {"notifier", "reporting"},
        "kafka": set(WORKLOADS),
        **{f"dondoc-{service}": {service} for service in WORKLOADS},
    }
    found: dict[str, set[str]] = {}
    for service in WORKLOADS:
        container = container_of(service)
        names = [one["valueFrom"]["secretKeyRef"]["name"] for one in container["env"] if "valueFrom" in one]
        names += [one["secretRef"]["name"] for one in container["envFrom"] if "secretRef" in one]
        names += [one["secret"]["secretName"] for one in pod_of(service)["volumes"] if "secret" in one]
        projected = [one["projected"]["sources"] for one in pod_of(service)["volumes"] if "projected" in one]
        names += [one["secret"]["name"] for sources in projected for one in sources if "secret" in one]
        for name in names:
            found.setdefault(name, set()).add(service)
    assert found == readers
