"""Debian's Prometheus with this project's rules, scraping the services of a test."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

from ruamel.yaml import YAML

from deploy.local.process.daemon import Daemon, Program
from deploy.local.process.ports import LOOPBACK, free_ports

RULES = Path(__file__).parents[3] / "deploy/prometheus"


class Prometheus(Daemon):
    """A Prometheus of its own; *targets* are the ports to scrape, by job."""

    def __init__(self, folder: Path, targets: Mapping[str, int]) -> None:
        self.port = free_ports(1)[0]
        self._targets = len(targets)
        folder.mkdir(parents=True, exist_ok=True)
        configuration = folder / "prometheus.json"  # JSON is YAML
        jobs = [
            {"job_name": job, "static_configs": [{"targets": [f"{LOOPBACK}:{port}"]}]} for job, port in targets.items()
        ]
        # A readiness check of a server that hangs takes two seconds, for which a scrape has to wait.
        settings = {
            "global": {"scrape_interval": "3s", "evaluation_interval": "3s"},
            "rule_files": [str(RULES / "objectives.yml"), str(RULES / "alerts.yml")],
            "scrape_configs": jobs,
        }
        configuration.write_text(json.dumps(settings), encoding="utf-8")
        command = (
            "prometheus",
            f"--config.file={configuration}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={LOOPBACK}:{self.port}",
        )
        super().__init__(Program(name="prometheus", command=command, folder=folder, is_ready=self.is_ready))

    def is_ready(self) -> bool:
        """Whether it has looked at each target once: an increase is seen only from there on."""
        try:
            return len(self.query("up")) == self._targets
        except OSError:
            return False

    def query(self, expression: str) -> list[Any]:
        """Return what *expression* yields now."""
        address = f"http://{LOOPBACK}:{self.port}/api/v1/query?{urlencode({'query': expression})}"
        with urlopen(address, timeout=10.0) as answer:
            found: list[Any] = json.load(answer)["data"]["result"]
        return found


def load_expressions() -> Mapping[str, str]:
    """Return the expression of each alert by its name."""
    groups = YAML(typ="safe").load((RULES / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    return {rule["alert"]: rule["expr"] for group in groups for rule in group["rules"]}
