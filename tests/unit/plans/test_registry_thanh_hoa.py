"""The registry of Thanh Hóa follows its agencies through every change from 2016 to 2025."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from schemas.lint import documents
from schemas.plan.registry import Agency, Registry, Succession

FILE = Path(__file__).parents[3] / "deploy/plans/6766-kh-ubnd/registry.yaml"
END_OF_DISTRICTS = date(2025, 7, 1)


@pytest.fixture(scope="module")
def registry() -> Registry:
    """The shipped registry."""
    return documents.parse_registry(FILE.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "group, day, size",
    [
        ("ubnd-huyen", date(2016, 12, 9), 27),
        ("ubnd-huyen", date(2024, 12, 31), 27),
        ("ubnd-huyen", date(2025, 1, 1), 26),
        ("ubnd-huyen", date(2025, 6, 30), 26),
        ("ubnd-huyen", date(2025, 7, 1), 0),
        ("so-ban-nganh", date(2016, 12, 9), 18),
        ("so-ban-nganh", date(2025, 2, 28), 18),
        ("so-ban-nganh", date(2025, 12, 9), 13),
        ("so-khdt-so-tc", date(2025, 2, 28), 2),
        ("so-khdt-so-tc", date(2025, 3, 1), 1),
        ("to-chuc-ctxh", date(2025, 12, 9), 4),
        ("mttq", date(2025, 12, 9), 1),
        ("bao-chi", date(2025, 5, 31), 2),
        ("bao-chi", date(2025, 6, 1), 1),
        ("nhcsxh", date(2025, 12, 9), 1),
    ],
)
def test_a_roster_is_that_of_its_day(registry: Registry, group: str, day: date, size: int) -> None:
    """The members of a group are those of the given day and not those of today."""
    assert len(_members(registry, group, day)) == size


def test_a_member_of_a_group_exists(registry: Registry) -> None:
    """No membership begins before its agency or ends after it."""
    for agency in registry.agencies:
        for membership in agency.groups:
            assert membership.from_ is not None
            assert agency.valid.contains(membership.from_)
            assert membership.to is None or agency.valid.contains(membership.to - timedelta(days=1))


@pytest.mark.parametrize(
    "agency, day, name",
    [
        ("tx-sam-son", date(2016, 12, 9), "UBND thị xã Sầm Sơn"),
        ("tx-sam-son", date(2017, 12, 9), "UBND thành phố Sầm Sơn"),
        ("h-tinh-gia", date(2020, 5, 31), "UBND huyện Tĩnh Gia"),
        ("h-tinh-gia", date(2020, 6, 1), "UBND thị xã Nghi Sơn"),
        ("h-dong-son", date(2024, 12, 31), "UBND huyện Đông Sơn"),
        ("h-ngoc-lac", date(2016, 12, 9), "UBND huyện Ngọc Lặc"),
        ("tp-thanh-hoa", date(2025, 1, 1), "UBND thành phố Thanh Hóa"),
        ("bao-dai-th", date(2025, 12, 8), "Báo và Phát thanh, truyền hình Thanh Hóa"),
    ],
)
def test_a_name_is_that_of_its_day(registry: Registry, agency: str, day: date, name: str) -> None:
    """A rename changes the name and keeps the id."""
    assert _agency(registry, agency).name_on(day) == name


@pytest.mark.parametrize(
    "alias, agency", [("tp-sam-son", "tx-sam-son"), ("tx-nghi-son", "h-tinh-gia"), ("bao-ptth-th", "bao-dai-th")]
)
def test_the_new_name_leads_to_the_old_id(registry: Registry, alias: str, agency: str) -> None:
    """An id in the form of the new name is an alias of the same agency."""
    assert registry.resolve(alias) == agency


@pytest.mark.parametrize(
    "old, new",
    [("so-tc", "so-tc-2025"), ("so-xd", "so-xd-2025"), ("so-khcn", "so-khcn-2025"), ("so-nv", "so-nv-2025")],
)
def test_a_name_taken_over_is_another_body(registry: Registry, old: str, new: str) -> None:
    """Two bodies with one name have different ids, and the one ends on the day the other begins."""
    before, after = _agency(registry, old), _agency(registry, new)
    assert before.names[0].vi == after.names[0].vi
    assert before.valid.to == after.valid.from_ == date(2025, 3, 1)


def test_a_name_stands_for_one_body_a_day(registry: Registry) -> None:
    """On no day do two agencies bear the same name."""
    for day in (date(2016, 5, 5), date(2025, 2, 28), date(2025, 3, 1), date(2025, 12, 8)):
        names = [one.name_on(day) for one in registry.agencies if one.valid.contains(day)]
        assert len(names) == len(set(names))


def test_the_districts_end_without_heir(registry: Registry) -> None:
    """The 26 units of 2025 are abolished by one act and have no successor."""
    act = next(one for one in registry.successions if one.type == "abolish")
    assert act.on == END_OF_DISTRICTS
    assert act.to == ()
    assert set(act.from_) == _members(registry, "ubnd-huyen", date(2025, 6, 30))
    assert act.confirmed


def test_dong_son_goes_to_the_city_on_1_january_2025(registry: Registry) -> None:
    """The city that continues has the id of 2016."""
    act = _ending(registry, "h-dong-son")
    assert (act.type, act.to, act.on) == ("merge_into", ("tp-thanh-hoa",), date(2025, 1, 1))


def test_what_is_not_certain_is_marked(registry: Registry) -> None:
    """The acts of March 2025 still need the customer's confirmation; the districts' do not."""
    unconfirmed = {one.on for one in registry.successions if not one.confirmed}
    assert unconfirmed == {date(2025, 1, 1), date(2025, 3, 1)}


def _members(registry: Registry, group: str, day: date) -> set[str]:
    return {
        agency.id
        for agency in registry.agencies
        for membership in agency.groups
        if membership.id == group and membership.contains(day)
    }


def _agency(registry: Registry, agency_id: str) -> Agency:
    found = registry.agency(agency_id)
    assert found is not None
    return found


def _ending(registry: Registry, agency_id: str) -> Succession:
    return next(one for one in registry.successions if agency_id in one.from_)
