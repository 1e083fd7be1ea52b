"""The check code covers the whole head of a seal, and is read back however a person types it."""

import re
from datetime import timedelta
from typing import Any

import pytest

from schemas.events.reports import SealedOffsets, SealHead
from services.reporting.core.sealing import check_code
from tests.support.builders.reports.sealed_reports import a_seal_head

HEAD = a_seal_head()
AT = HEAD.at
CHANGES: dict[str, Any] = {
    "plan": "P-2",
    "period": "2023",
    "version": 2,
    "signer": "Nguyễn Văn Am",
    "sealed_at": AT + timedelta(milliseconds=1),
    "at": AT - timedelta(days=1),
    "known_at": AT - timedelta(milliseconds=1),
    "offsets": SealedOffsets(facts={"0": 42}, deliveries={"0": 7}, reports={"0": 0}),
    "plan_version": 3,
    "registry": "R-2",
    "registry_version": 3,
    "figures_sha256": "ab" * 31 + "ac",
}


def test_every_member_of_the_head_is_covered() -> None:
    """Another value of any of them gives another code."""
    assert set(CHANGES) == set(SealHead.model_fields)
    codes = {
        check_code.compute_check_code(HEAD.model_copy(update={name: value})) for name, value in CHANGES.items()
    } | {check_code.compute_check_code(HEAD)}
    assert len(codes) == len(CHANGES) + 1


def test_a_code_is_twenty_digits_in_groups_of_five() -> None:
    """It is the same at every computation, and fits the published pattern."""
    code = check_code.compute_check_code(HEAD)
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{5}(-[0-9A-HJKMNP-TV-Z]{5}){3}", code)
    assert code == check_code.compute_check_code(HEAD.model_copy())


@pytest.mark.parametrize(
    "text", ["7ZQ4K-0M3RT-X9V2C-H6D1P", "7zq4k 0m3rt x9v2c h6d1p", "7ZQ4KOM3RTX9V2CH6DLP", " 7ZQ4K-OM3RT-X9V2C-H6DiP "]
)
def test_a_code_is_read_as_people_write_it(text: str) -> None:
    """Case, spaces and hyphens do not matter; O is read as 0, I and L as 1."""
    assert check_code.parse_check_code(text) == "7ZQ4K-0M3RT-X9V2C-H6D1P"


@pytest.mark.parametrize("text", ["", "7ZQ4K", "7ZQ4K-0M3RT-X9V2C-H6D1U", "7ZQ4K-0M3RT-X9V2C-H6D1P-0"])
def test_what_cannot_be_a_code_is_none(text: str) -> None:
    """A wrong length, or a letter that is no digit."""
    assert check_code.parse_check_code(text) is None
