"""The commands of `dondoc`, each as a process of its own, as a person runs it beside the services."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[3]
COMMAND_SECONDS = 300.0


class ConsoleCommands:
    """Runs commands in *folder*, with the settings of *environment*."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.environment = dict(environment)

    async def run(self, *words: str, code: int = 0) -> str:
        """Run `dondoc` with *words*, check its exit code, and return what it prints."""
        command = (sys.executable, "-m", "tests.support.processes.console_command", *words)
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **self.environment}
        child = await asyncio.create_subprocess_exec(
            *command, cwd=self.folder, env=environment, stdout=PIPE, stderr=PIPE
        )
        printed, said = await asyncio.wait_for(child.communicate(), COMMAND_SECONDS)
        assert child.returncode == code, (words, printed.decode(), said.decode())
        return printed.decode()
