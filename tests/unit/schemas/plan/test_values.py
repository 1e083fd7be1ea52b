"""Value types of documents and events: what is accepted as a time, a date, a figure, a bilingual text."""

import pytest
from pydantic import TypeAdapter, ValidationError

from schemas.events.facts import Figure
from schemas.plan.plan import Plan
from schemas.plan.registry import Name, Span
from schemas.plan.values import Bilingual, Instant, LocalDate
from tests.support.builders.plans import a_plan, a_registry, an_agency


@pytest.mark.parametrize("text", ["2026-12-09T23:59:00+07:00", "2026-12-09t16:59:00z", "2026-12-09 16:59:00.5Z"])
def test_an_instant_is_rfc_3339_text(text: str) -> None:
    """An instant has an offset."""
    assert TypeAdapter(Instant).validate_python(text).tzinfo is not None


@pytest.mark.parametrize("value", ["2026-12-09T23:59:00", "1765300000", 1765300000, "2026-12-09", None])
def test_anything_else_is_no_instant(value: object) -> None:
    """A number is refused, because it does not state its unit."""
    with pytest.raises(ValidationError):
        TypeAdapter(Instant).validate_python(value)


@pytest.mark.parametrize(
    "value", ["2026-02-30", "0001-01-01", "9999-12-31", "20261209", 20261209, "2026-12-09T00:00:00Z"]
)
def test_a_date_is_a_day_of_the_calendar_within_reach(value: object) -> None:
    """A date has year, month and day and no time."""
    with pytest.raises(ValidationError):
        TypeAdapter(LocalDate).validate_python(value)


def test_a_date_read_by_yaml_is_a_date() -> None:
    """A date may be quoted or not; a date with a time is refused."""
    adapter: TypeAdapter[object] = TypeAdapter(LocalDate)
    day = adapter.validate_python("2026-12-09")
    assert adapter.validate_python(day) == day
    with pytest.raises(ValidationError, match="without a time"):
        adapter.validate_python(TypeAdapter(Instant).validate_python("2026-12-09T00:00:00Z"))


@pytest.mark.parametrize("value", [0, -3, 2.5, "9984.2", "-.5", "1e3", 10**29])
def test_a_figure_is_a_number_or_a_decimal_string(value: object) -> None:
    """A decimal string is kept as it was written."""
    assert TypeAdapter(Figure).validate_python(value) == value


@pytest.mark.parametrize(
    "value", ["9.984,2", "1_000", "٣", "", "NaN", "1e400", "1e31", 10**30, 1e30, float("inf"), True]
)
def test_what_no_double_holds_is_no_figure(value: object) -> None:
    """A figure beyond the range of a double is refused, and so is text that only looks like a number."""
    with pytest.raises(ValidationError):
        TypeAdapter(Figure).validate_python(value)


def test_a_text_falls_back_on_vietnamese() -> None:
    """A text without a translation is shown in Vietnamese."""
    assert [Bilingual(vi="Kế hoạch").in_language(one) for one in ("vi", "en")] == ["Kế hoạch"] * 2
    assert Bilingual(vi="Kế hoạch", en="Plan").in_language("en") == "Plan"


def test_a_plan_in_no_zone_is_refused() -> None:
    """The zone must be an IANA time zone."""
    with pytest.raises(ValidationError, match="write for example Asia/Ho_Chi_Minh"):
        Plan.model_validate(a_plan().model_dump(by_alias=True) | {"zone": "Asia/Thanh_Hoa"})
    assert a_plan().obligation("other") is None


def test_an_agency_is_called_by_the_name_of_the_day() -> None:
    """Before its first name an agency has the first name, after its last name the last one."""
    names = [
        {"vi": "Tĩnh Gia", "from": "2016-05-05", "to": "2020-06-01"},
        {"vi": "Nghi Sơn", "en": "Nghi Sơn Town", "from": "2020-06-01", "to": "2025-07-01"},
    ]
    agency = an_agency("x", names=names)
    days = [
        TypeAdapter(LocalDate).validate_python(day) for day in ("2010-01-01", "2019-01-01", "2021-01-01", "2026-01-01")
    ]
    assert [agency.name_on(day) for day in days] == ["Tĩnh Gia", "Tĩnh Gia", "Nghi Sơn", "Nghi Sơn"]
    assert [agency.name_on(day, "en") for day in days[1:3]] == ["Tĩnh Gia", "Nghi Sơn Town"]
    assert Name(vi="x").contains(days[0])
    assert not Span.model_validate({"to": "2010-01-01"}).contains(days[0])


def test_the_registry_resolves_names_and_ids() -> None:
    """The registry resolves an alias and an id, and returns None for an unknown name."""
    registry = a_registry(an_agency("h-mot", aliases=["H56.1"]))
    assert [registry.resolve(one) for one in ("H56.1", "h-mot", "x")] == ["h-mot", "h-mot", None]
    found = registry.agency("h-mot")
    assert found is not None
    assert found.id == "h-mot"
