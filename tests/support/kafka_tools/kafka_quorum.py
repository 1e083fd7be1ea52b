"""Nodes of a cluster whose controllers may change while it runs (KIP-853)."""

import re
from collections.abc import Sequence
from pathlib import Path

from deploy.local.process.ports import LOOPBACK, free_ports
from deploy.local.servers.kafka import Kafka


class QuorumNode(Kafka):
    """A node, broker and controller in one. It begins as a cluster of its own, or joins the one of *controllers*.

    What *controllers* holds counts at the next start.
    """

    def __init__(self, folder: Path, *, jars: Path, number: int, controllers: Sequence[str] = ()) -> None:
        self.number = number
        self.controllers = controllers
        port, controller_port = free_ports(2)
        super().__init__(folder / str(number), jars=jars, port=port, controller_port=controller_port)
        self.controller = f"{LOOPBACK}:{controller_port}"
        if controllers:
            self.format_options = ("--no-initial-controllers",)

    @property
    def configuration(self) -> Path:
        """The file of its settings."""
        return self._configuration

    def _write_configuration(self, data: Path) -> None:
        super()._write_configuration(data)
        text = self._configuration.read_text(encoding="utf-8")
        text = text.replace("node.id=1", f"node.id={self.number}")
        if self.controllers:
            addresses = f"controller.quorum.bootstrap.servers={','.join(self.controllers)}"
            text = re.sub(r"controller\.quorum\.voters=.*", addresses, text)
        self._configuration.write_text(text, encoding="utf-8")
