"""A Docker engine of the tests' own, and the compose file run by it. Works in the namespaces of `in-root.sh` only."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.support.clients.installed_system import wait_until

ROOT = Path(__file__).parents[2]
COMMAND_SECONDS = 300
CGROUP = "/dondoc-engine"  # removed by in-root.sh when everything has ended
START_SECONDS = 120.0
HEALTHY_SECONDS = 300.0


class Engine:
    """The engine whose images `prepare.sh` has put into *folder*. What it runs ends with the tests at the latest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._socket = folder / "socket"
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it on a bridge of its own, and remove what an interrupted run has left in it."""
        for stale in (self._socket, self.folder / "run.pid"):
            stale.unlink(missing_ok=True)
        places = (
            "--data-root",
            self.folder / "engine",
            "--exec-root",
            self.folder / "run",
            "--pidfile",
            self.folder / "run.pid",
        )
        command = self._in_root(
            "dockerd", *map(str, places), "--cgroup-parent", CGROUP, "--host", f"unix://{self._socket}"
        )
        with (self.folder / "logs/engine.log").open("wb") as log:
            self._child = subprocess.Popen(command, stdout=log, stderr=log)
        wait_until(self._answers, "the engine answers", timeout=START_SECONDS)
        for container in self.containers():
            self.docker("rm", "--force", "--volumes", container)
        self.docker("volume", "prune", "--force")
        self.docker("network", "prune", "--force")

    def stop(self) -> None:
        """Stop it, and wait until it has gone."""
        if self._child is not None:
            self._child.terminate()
            self._child.wait(timeout=COMMAND_SECONDS)

    def docker(self, *arguments: str, stdin: str | None = None) -> str:
        """Run `docker` and return what it prints."""
        return self.run("docker", *arguments, stdin=stdin)

    def run(self, *command: str, environment: Mapping[str, str] | None = None, stdin: str | None = None) -> str:
        """Run a program of the engine's file system and return what it prints; raise if it fails."""
        done = subprocess.run(
            self._in_root(*command),
            env={**os.environ, **(environment or {}), "DOCKER_HOST": f"unix://{self._socket}"},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def inspect(self, container: str) -> dict[str, Any]:
        """Return all that the engine knows of a container."""
        found: dict[str, Any] = json.loads(self.docker("inspect", container))[0]
        return found

    def containers(self) -> list[str]:
        """Return the ids of all containers, running or not."""
        return self.docker("ps", "--all", "--quiet", "--no-trunc").split()

    def volumes(self) -> set[str]:
        """Return the names of all volumes."""
        return set(self.docker("volume", "ls", "--quiet").split())

    def _answers(self) -> bool:
        assert self._child is not None
        assert self._child.poll() is None, (self.folder / "logs/engine.log").read_text(encoding="utf-8")[-2000:]
        return (
            subprocess.run(
                self._in_root("docker", "--host", f"unix://{self._socket}", "version"), capture_output=True, check=False
            ).returncode
            == 0
        )

    def _in_root(self, *command: str) -> list[str]:
        return ["nsenter", "--mount=/proc/self/ns/mnt", *command]


class ComposedSystem:
    """The services of docker-compose.yml with the settings in *settings*."""

    def __init__(self, engine: Engine, settings: Path) -> None:
        self.engine = engine
        images = (engine.folder / "images.env").read_text(encoding="utf-8").split()
        self._environment = {**dict(line.split("=", 1) for line in images), "DONDOC_SETTINGS": str(settings)}

    def compose(self, *arguments: str, stdin: str | None = None) -> str:
        """Run `docker-compose` on the file and return what it prints."""
        file = str(ROOT / "docker-compose.yml")
        return self.engine.run("docker-compose", "--file", file, *arguments, environment=self._environment, stdin=stdin)

    def execute(self, service: str, *command: str, stdin: str | None = None) -> str:
        """Run a command in the container of a service and return what it prints."""
        return self.engine.docker("exec", "--interactive", self.identity(service), *command, stdin=stdin)

    def identity(self, service: str) -> str:
        """Return the id of the container of a service, by the label that every compose gives it."""
        label = f"label=com.docker.compose.service={service}"
        (found,) = self.engine.docker("ps", "--all", "--quiet", "--no-trunc", "--filter", label).split()
        return found

    def container(self, service: str) -> dict[str, Any]:
        """Return what the engine knows of the container of a service."""
        return self.engine.inspect(self.identity(service))

    def services(self) -> list[str]:
        """Return the names of the services."""
        return list(YAML(typ="safe").load(ROOT / "docker-compose.yml")["services"])

    @property
    def project(self) -> str:
        """The name of the project, with which those of its volumes begin: that of the folder, as compose has it."""
        return "".join(letter for letter in ROOT.name.lower() if letter.isalnum() or letter in "-_")

    def wait_until_healthy(self, service: str) -> None:
        """Wait until the container of a service is healthy."""
        wait_until(lambda: self.is_healthy(service), f"{service} is healthy", timeout=HEALTHY_SECONDS)

    def is_healthy(self, service: str) -> bool:
        """Whether a container runs and its health check, if it has one, succeeds."""
        state = self.container(service)["State"]
        return bool(state["Running"]) and state.get("Health", {}).get("Status", "healthy") == "healthy"
