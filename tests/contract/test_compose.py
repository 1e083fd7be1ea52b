"""The compose file, the Dockerfile and the alert rules, read without an engine: valid, pinned, true to the code."""

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from deploy.local.process.ports import Ports, port_variable

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
SERVICE_PORTS = {"intake": 8001, "rules": 8002, "notifier": 8003, "reporting": 8004}
ADMIN_PORTS = {"intake": 9001, "rules": 9002, "notifier": 9003, "reporting": 9004}
AUDIT_PORT = 8005  # of its probes and metrics; the audit has no other port
ONE_SHOTS = {"publish", "mongo-init", "reporting-key"}
SETTINGS = ROOT / "deploy/docker/settings"
IMAGE_OF_OTHERS = re.compile(r"^\$\{DONDOC_[A-Z]+_IMAGE:-[a-z/]+:v?\d+\.\d+\.\d+[a-z-]*@sha256:[0-9a-f]{64}\}$")
METRIC = re.compile(r"\b(?:intake|rules|notifier|reporting|audit|runtime|dondoc)_[a-z_]+\b")
HISTOGRAM_SUFFIX = re.compile(r"_(bucket|count|sum)$")


def read(path: Path) -> Any:
    """Parse one YAML file."""
    return YAML(typ="safe").load(path)


def variables_in(file: str) -> dict[str, str]:
    """Return the variables of one file of settings that the compose file names."""
    lines = Path(file.replace("${DONDOC_SETTINGS:-./deploy/docker/settings}", str(SETTINGS))).read_text(
        encoding="utf-8"
    )
    return dict(line.split("=", 1) for line in lines.splitlines() if line and not line.startswith("#"))


def variables_of(service: Mapping[str, Any]) -> set[str]:
    """Return the names of all variables that a service is given."""
    files = {name for file in service.get("env_file", []) for name in variables_in(file)}
    return {*service.get("environment", {}), *files}


@pytest.fixture(scope="module")
def services() -> Mapping[str, Mapping[str, Any]]:
    """The services of the compose file, by name."""
    found: Mapping[str, Mapping[str, Any]] = read(COMPOSE)["services"]
    return found


def run(tool: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a tool of the development environment from the root of the repository."""
    command = [str(Path(sys.executable).with_name(tool)), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_compose_file_keeps_to_the_specification() -> None:
    """The published schema of the compose specification accepts it."""
    done = run("check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dockerfile_is_clean() -> None:
    """Hadolint has nothing to say."""
    done = run("hadolint", "Dockerfile")
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_image_is_pinned(services: Mapping[str, Mapping[str, Any]]) -> None:
    """Those of others name a full version and its digest, and another may be named; so does the Dockerfile's base."""
    images = {str(service["image"]) for service in services.values() if "build" not in service}
    assert images
    assert sorted(image for image in images if not IMAGE_OF_OTHERS.match(image)) == []
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    (base,) = re.findall(r"^ARG PYTHON_IMAGE=(\S+)", dockerfile, flags=re.MULTILINE)
    stages = re.findall(r"^FROM \S+ AS (\S+)", dockerfile, flags=re.MULTILINE)
    assert set(re.findall(r"^FROM (\S+)", dockerfile, flags=re.MULTILINE)) <= {"$PYTHON_IMAGE", *stages}
    assert services["intake"]["build"]["args"]["PYTHON_IMAGE"] == f"${{DONDOC_PYTHON_IMAGE:-{base}}}"
    assert IMAGE_OF_OTHERS.match(f"${{DONDOC_PYTHON_IMAGE:-{base}}}")


def test_a_compose_of_2021_reads_the_file() -> None:
    """Nothing at the top but what Debian's compose 1.29 knows; each variable of the shell has a default."""
    assert set(read(COMPOSE)) - {"services", "volumes"} == {"x-service", "x-server"}
    for name in ("docker-compose.yml", "deploy/docker/production.yml"):
        assert re.findall(r"\$\{\w+\}", (ROOT / name).read_text(encoding="utf-8")) == []


def test_every_setting_of_a_service_can_be_set(services: Mapping[str, Mapping[str, Any]]) -> None:
    """The compose file itself sets ports alone, which it publishes or scrapes; everything else comes from files."""
    for name in (*SERVICE_PORTS, "audit", "publish"):
        service = services[name]
        assert set(service.get("environment", {})) <= {"DONDOC_PORT", f"DONDOC_ADMIN_PORT_{name.upper()}"}, name
        files = [Path(file).name for file in service["env_file"]]
        assert files[0] == "every-service.env"
        assert files[-1] == f"{name}.env"
        assert f"${{DONDOC_SETTINGS:-./deploy/docker/settings}}/{name}:/etc/dondoc:ro" in service["volumes"]
        assert (SETTINGS / name).is_dir()
    read_files = {file.rpartition("/")[2] for service in services.values() for file in service.get("env_file", [])}
    assert read_files == {path.name for path in SETTINGS.glob("*.env")}


def test_every_container_is_bounded(services: Mapping[str, Mapping[str, Any]]) -> None:
    """Memory, processes and logs have a limit, an init collects what has ended, and no capability is left."""
    for name, service in services.items():
        assert re.fullmatch(r"\d+[mg]", str(service["mem_limit"])), name
        assert service["pids_limit"], name
        assert service["logging"]["options"]["max-size"], name
        assert (service["init"], service["cap_drop"]) == (True, ["ALL"]), name


def test_a_container_may_take_what_a_pod_may(services: Mapping[str, Mapping[str, Any]]) -> None:
    """Both ways of running a service bound its memory alike."""
    for name in (*SERVICE_PORTS, "audit", "publish"):
        documents = YAML(typ="safe").load_all(ROOT / f"deploy/kubernetes/base/{name}.yaml")
        pod = next(one for one in documents if one["kind"] in {"Deployment", "StatefulSet", "Job"})
        (container,) = pod["spec"]["template"]["spec"]["containers"]
        assert services[name]["mem_limit"] == container["resources"]["limits"]["memory"].lower().removesuffix("i"), name


def test_a_health_check_starts_no_interpreter(services: Mapping[str, Mapping[str, Any]]) -> None:
    """A check runs every few seconds for ever: the shell or a small program asks, no virtual machine or interpreter."""
    checks = {
        name: one["healthcheck"]["test"] for name, one in services.items() if "test" in one.get("healthcheck", {})
    }
    assert {check[1] for check in checks.values()} == {"bash", "is-ready", "wget", "/mailpit"}
    (own,) = re.findall(
        r"^HEALTHCHECK .*CMD \[(.*)\]$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert own == '"is-ready"'
    assert (ROOT / "deploy/docker/is-ready").read_text(encoding="utf-8").startswith("#!/bin/bash\n")


def test_no_container_makes_a_volume_without_a_name(services: Mapping[str, Mapping[str, Any]]) -> None:
    """What our image and those of others declare as a volume is a named one or kept in memory."""
    assert not re.search(r"^VOLUME", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    declared = {
        "kafka": {"/var/lib/kafka/data", "/etc/kafka/secrets", "/mnt/shared/config"},
        "mongo": {"/data/db", "/data/configdb"},
        "mongo-init": {"/data/db", "/data/configdb"},
        "prometheus": {"/prometheus"},
        "alertmanager": {"/alertmanager"},
    }
    for name, folders in declared.items():
        mounted = {one.split(":")[1] for one in services[name].get("volumes", [])} | set(
            services[name].get("tmpfs", [])
        )
        assert folders <= mounted, name


def test_real_providers_take_the_place_of_the_mailbox_and_the_sms_centre(
    services: Mapping[str, Mapping[str, Any]],
) -> None:
    """In production.yml the two are in a profile of their own, and nothing waits for them."""
    production = read(ROOT / "deploy/docker/production.yml")["services"]
    assert production == {name: {"profiles": ["demo"]} for name in ("mail", "smsc")}
    assert [name for name, one in services.items() if {"mail", "smsc"} & set(one.get("depends_on", {}))] == []
    notifier = variables_in(str(SETTINGS / "notifier.env"))
    assert (notifier["DONDOC_NOTIFIER_SMTP_HOST"], notifier["DONDOC_NOTIFIER_SMPP_HOST"]) == ("mail", "smsc")


def test_what_the_image_copies_is_there() -> None:
    """Each source of a COPY from the checkout exists."""
    copies = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert copies
    assert [source for line in copies for source in line.split() if not (ROOT / source).exists()] == []


def test_everything_that_is_waited_for_exists(services: Mapping[str, Mapping[str, Any]]) -> None:
    """Each dependency is a service of the file, awaited in the way it ends: one-shots completed, the rest healthy."""
    for service in services.values():
        for name, how in service.get("depends_on", {}).items():
            completed = how["condition"] == "service_completed_successfully"
            assert name in services
            assert completed == (name in ONE_SHOTS)


def test_servers_for_development_are_in_the_development_image_alone(services: Mapping[str, Mapping[str, Any]]) -> None:
    """Only the stage `development` copies them, only the SMS centre is built from it, and it is not the default."""
    stages = re.split(r"^FROM ", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    copying = [stage.splitlines()[0] for stage in stages if "COPY deploy/local" in stage]
    assert copying == ["application AS development"]
    assert stages[-1].strip() == "application"
    assert [name for name, one in services.items() if one.get("build", {}).get("target")] == ["smsc"]


def test_nothing_runs_as_root(services: Mapping[str, Mapping[str, Any]]) -> None:
    """Foreign images name a user; ours names it in the Dockerfile."""
    foreign = {name: service for name, service in services.items() if "build" not in service}
    assert [name for name, service in foreign.items() if str(service.get("user", "0")).startswith("0")] == []
    assert "\nUSER 10001\n" in (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_ports_are_those_of_the_local_stack_and_stay_on_this_machine(
    services: Mapping[str, Mapping[str, Any]],
) -> None:
    """Each published port is bound to the loopback address, by the variable and default of `make up`."""
    published = {str(port) for service in services.values() for port in service.get("ports", [])}
    assert [port for port in published if not port.startswith("127.0.0.1:${DONDOC_")] == []
    stack = {port_variable(name): getattr(Ports(), name) for name in ("kafka", "mongo", "smtp", "mailbox", "smpp")}
    ours = {port_variable(name): port for name, port in SERVICE_PORTS.items()}
    for name, port in {**stack, **ours}.items():
        assert any(f"${{{name}:-{port}}}" in one for one in published), name


SECRETS = {
    "DONDOC_DRY_RUN_KEY": {"intake", "rules"},
    "DONDOC_FORM_KEY": {"intake", "notifier"},
    "DONDOC_INTAKE_SIGNING_KEYS": {"intake"},
    "DONDOC_INTAKE_KEYS": {"intake"},
    "DONDOC_NOTIFIER_SMTP_PASSWORD": {"notifier"},
    "DONDOC_NOTIFIER_SMPP_PASSWORD": {"notifier"},
    "DONDOC_DASHBOARD_KEY": {"notifier", "reporting"},
    "DONDOC_CONTACTS_KEY": {"notifier"},
    "DONDOC_READER_KEY": {"audit"},
}


def test_a_secret_reaches_the_services_that_need_it_alone(services: Mapping[str, Mapping[str, Any]]) -> None:
    """The key of the form is intake's and the notifier's, passwords of mail and SMS the notifier's, keys intake's."""
    for secret, allowed in SECRETS.items():
        assert {name for name, service in services.items() if secret in variables_of(service)} in (set(), allowed), (
            secret
        )


def test_every_variable_given_to_a_service_is_documented(services: Mapping[str, Mapping[str, Any]]) -> None:
    """A variable that no page explains is a misspelt one."""
    text = (ROOT / "docs/reference/settings.md").read_text(encoding="utf-8")
    given = {name for service in services.values() for name in variables_of(service) if "DONDOC" in name}
    assert sorted(name for name in given if f"`{name}`" not in text) == []


def test_alerts_speak_of_metrics_that_exist() -> None:
    """Each metric of ours in an alert's expression is a documented one."""
    documented = (ROOT / "docs/reference/metrics.md").read_text(encoding="utf-8")
    rules = [rule for group in read(ROOT / "deploy/prometheus/alerts.yml")["groups"] for rule in group["rules"]]
    used = {HISTOGRAM_SUFFIX.sub("", name) for rule in rules for name in METRIC.findall(rule["expr"])}
    assert rules
    assert sorted(name for name in used if f"`{name}`" not in documented) == []


def test_prometheus_asks_every_service_where_compose_puts_it() -> None:
    """The scrape targets are the audit and the admin ports of the services, none of which is published to the host."""
    jobs = read(ROOT / "deploy/prometheus/prometheus.yml")["scrape_configs"]
    targets = {job["job_name"]: job["static_configs"][0]["targets"] for job in jobs}
    ports = {**ADMIN_PORTS, "audit": AUDIT_PORT}
    assert targets == {name: [f"{name}:{port}"] for name, port in ports.items()}
    for name, port in ADMIN_PORTS.items():
        service = read(COMPOSE)["services"][name]
        assert service["environment"][f"DONDOC_ADMIN_PORT_{name.upper()}"] == port
        assert not any(published.endswith(f":{port}") for published in service["ports"])
