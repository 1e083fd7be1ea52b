"""What is made from the table of rights is up to date, and the table speaks of what exists."""

import stat
import subprocess
from pathlib import Path

import pytest

from deploy.kafka import acls
from deploy.kafka.__main__ import FILES
from deploy.kafka.acls import USERS, Resource
from schemas.events.topics import TOPICS, WITH_DEAD_LETTERS
from services.notifier.settings import NotifierSettings
from services.reporting.settings import ReportingSettings
from services.rules.settings import RulesSettings

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_is_made_from_the_table_is_up_to_date(path: Path) -> None:
    """`python -m deploy.kafka` would change nothing."""
    assert path.read_text(encoding="utf-8") == FILES[path]()


def test_every_topic_of_the_table_is_declared() -> None:
    """A right on a topic that nobody declares is a misspelt one."""
    declared = {topic.name for topic in TOPICS} | {topic.dead_letter for topic in WITH_DEAD_LETTERS} | {acls.ALL_TOPICS}
    named = {right.name for user in USERS for right in user.rights if right.resource is Resource.TOPIC}
    assert named - declared == set()


def test_the_groups_are_those_of_the_settings() -> None:
    """The default group of each consumer begins with a prefix on which its user has a right."""
    groups = {
        acls.RULES: RulesSettings().group,
        acls.NOTIFIER: NotifierSettings().group,
        acls.REPORTING: ReportingSettings().group,
    }
    for user, group in groups.items():
        allowed = [right.name for right in user.rights if right.resource is Resource.GROUP]
        assert any(group.startswith(prefix) for prefix in allowed), user.name


def test_the_commands_are_a_script() -> None:
    """It can be run, and bash takes it."""
    script = ROOT / "deploy/kafka/acls.sh"
    assert script.stat().st_mode & stat.S_IXUSR
    assert subprocess.run(["/bin/bash", "-n", script], check=False).returncode == 0
