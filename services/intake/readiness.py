"""The readiness checks of what the main process alone knows; its workers show them on their `/readyz` as well."""

from collections.abc import Callable, Mapping

from services.runtime import startup
from services.runtime.http.probes import NotReadyError, ReadinessCheck

# By name, with what each waits for while it does not hold.
MAIN_CHECKS = {
    "kafka": startup.BROKER,
    "spool": "an operator: events with a receipt lie in damaged files of the spool; see `dondoc spool inspect`",
    "log": "events with a receipt that the log has lost; their senders have to send them again",
}


def build_checks(run_checks: Callable[[], Mapping[str, bool]]) -> Mapping[str, ReadinessCheck]:
    """Return a check for each of MAIN_CHECKS; *run_checks* says which of them hold."""

    def build_check(name: str, sentence: str) -> ReadinessCheck:
        async def check() -> bool:
            if not run_checks().get(name, False):
                raise NotReadyError(sentence)
            return True

        return check

    return {name: build_check(name, sentence) for name, sentence in MAIN_CHECKS.items()}
