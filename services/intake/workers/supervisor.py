"""The worker processes of one intake: started on the same port, kept supplied, replaced when they end or hang."""

import asyncio
import contextlib
import logging
import socket
import sys

from services.intake.metrics import IntakeMetrics
from services.intake.workers.log_server import MainServices, WorkerLink
from services.intake.workers.protocol import MainChecks, Plans

PROGRAM = ("-m", "services.intake.worker")

# A worker that sends no heartbeat for so long hangs and is killed. The largest batch holds its loop for 0.2 s.
SILENCE_SECONDS = 2.0

# How long a worker may take to import its modules and serve, on a machine that is busy.
START_SECONDS = 30.0

# A worker that ends at once, for example for lack of memory, must not be started in a tight loop.
RESTART_SECONDS = 1.0

# A worker finishes its requests within the grace period of the server (10 s).
STOP_SECONDS = 15.0

log = logging.getLogger(__name__)


class WorkerSupervisor:
    """Keeps as many workers as wanted, none by default, serving on *port*."""

    def __init__(self, wanted: int, port: int, services: MainServices, metrics: IntakeMetrics) -> None:
        self._wanted = wanted
        self._port = port
        self._services = services
        self._metrics = metrics
        self._links: set[WorkerLink] = set()

    def send_plans(self) -> None:
        """Send the published plans to every worker."""
        for link in self._links:
            link.send(Plans(self._services.encode_plans()))

    async def run(self) -> None:
        """Keep the workers serving until cancelled; then let them finish their requests and stop."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._wanted):
                group.create_task(self._keep_one())

    async def _keep_one(self) -> None:
        while True:
            try:
                await self._run_worker()
            except OSError:
                # No more processes or file descriptors. The main process serves without its workers.
                log.exception("a worker cannot be started", extra={"action": "worker_missing"})
            await asyncio.sleep(RESTART_SECONDS)

    async def _run_worker(self) -> None:
        """Start a worker and return when it has ended."""
        ours, theirs = socket.socketpair()
        with ours, theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable, *PROGRAM, str(theirs.fileno()), str(self._port), pass_fds=[theirs.fileno()]
            )
            theirs.close()  # otherwise the end of this process would not end the worker's connection
            link = WorkerLink(self._services)
            try:
                await link.connect(ours)
                await self._supply(link)
            except asyncio.CancelledError:
                await _stop(process)
                raise
            finally:
                self._remove(link)
                # For a worker that hangs. One that has ended by itself is not found, which is no error.
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()

    async def _supply(self, link: WorkerLink) -> None:
        """Give the worker what it needs to serve, until it ends or hangs."""
        self._links.add(link)
        link.send(MainChecks(self._services.run_checks()))
        link.send(Plans(self._services.encode_plans()))
        await asyncio.wait(
            [link.started, link.connection.closed], timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        self._metrics.set_workers(self._count_started())
        while not link.connection.closed.done() and link.seconds_silent() < SILENCE_SECONDS:
            # At an interval and not at each change: it is for the readiness probe, which may be half a second late.
            link.send(MainChecks(self._services.run_checks()))
            await asyncio.wait([link.connection.closed], timeout=SILENCE_SECONDS / 4)
        # A frozen worker keeps its socket open and the kernel goes on handing it connections: silence is the only sign.
        hangs = not link.connection.closed.done()
        log.warning("a worker has ended", extra={"action": "worker_ended", "hangs": hangs})

    def _remove(self, link: WorkerLink) -> None:
        self._links.discard(link)
        self._services.metrics.retire(id(link))
        self._metrics.set_workers(self._count_started())
        link.abort()

    def _count_started(self) -> int:
        return sum(link.started.done() for link in self._links)


async def _stop(process: asyncio.subprocess.Process) -> None:
    """Let a worker finish its requests, which still append through this process."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
