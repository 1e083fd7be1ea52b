"""Upgrade and rollback: the commit before and this one run side by side on one log, in both orders.

The other commit is checked out beside this one and runs from there, with the same Python packages. It is the parent of
this commit, or what DONDOC_TEST_UPGRADE_FROM names, such as the tag of the last release.
"""

import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from schemas.events.topics import WITH_DEAD_LETTERS
from tests.support.builders import plans
from tests.support.clients.notifier import AGENCY
from tests.support.servers.installation import SERVICES, Season, install

ROOT = Path(__file__).parents[3]
NOTHING: Mapping[str, object] = {"nil_return": False, "figures_as_of": None, "sections": {}, "indicators": {}}
PERIOD = {"period": "2026"}


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A checkout of the commit before this one."""
    place = tmp_path_factory.mktemp("before") / "checkout"
    commit = os.environ.get("DONDOC_TEST_UPGRADE_FROM", "HEAD~1")
    _git("worktree", "add", "--quiet", "--detach", str(place), commit)
    yield place
    _git("worktree", "remove", "--force", str(place))


@pytest.mark.chaos
@pytest.mark.timeout(900)
@pytest.mark.parametrize("order", ["upgrade", "rollback"])
async def test_two_versions_share_a_log(season: Season, before: Path, tmp_path: Path, order: str) -> None:
    """Service by service the one takes over from the other: all reports count, nobody is told twice, none is refused.

    The versions overlap, so each reads what the other wrote: facts, states of rules, verdicts, ledger, projections.
    """
    checkouts = (before, ROOT) if order == "upgrade" else (ROOT, before)
    first, second = (install(season, one, tmp_path / f"{number}") for number, one in enumerate(checkouts))
    first.start()
    try:
        incomplete = plans.a_submission("s-1", data={**PERIOD, "content": NOTHING})
        await season.post(first.services["intake"], incomplete)
        await season.wait_until_shown(first.services["reporting"], AGENCY, "incomplete")
        await season.client.wait_for_mails(1)
        second.start()
        complete = plans.a_submission("s-2", data={**PERIOD, "corrects": "s-1"})
        await season.post(first.services["intake"], complete)
        await season.wait_until_shown(second.services["reporting"], AGENCY, "on_time")
        first.stop(*SERVICES)
        # Sent again to the other version, the very event is known, and another agency's report is taken.
        await season.post(second.services["intake"], complete)
        other = plans.a_submission("s-3", data={**PERIOD, "agency": plans.AGENCIES[1]}, subject=plans.AGENCIES[1])
        await season.post(second.services["intake"], other)
        await season.wait_until_shown(second.services["reporting"], plans.AGENCIES[1], "on_time")
        await season.client.wait_until_followed()
        await season.client.wait_until_idle()
    finally:
        first.stop(*SERVICES)
        second.stop(*SERVICES)
    assert len(season.client.smtp.mails()) == 1
    for topic in WITH_DEAD_LETTERS:
        assert await season.client.bus.records(topic.dead_letter) == []


def _git(*arguments: str) -> None:
    subprocess.run(("git", "-C", str(ROOT), *arguments), check=True, capture_output=True)  # noqa: S607 - git of the path
