"""The duties of both sides are compared by their keys, field by field."""

from typing import Any

from services.console.audit.comparison import compare_duties


def a_duty(agency: str = "h-01", **fields: Any) -> dict[str, Any]:
    """Build a duty as reporting renders it, as far as it matters here."""
    usual: dict[str, Any] = {"agency": agency, "obligation": "results", "period": "2026", "status": "late"}
    return {**usual, "urging": {"reminders": 1}, **fields}


def test_equal_duties_have_no_difference_in_any_order() -> None:
    """The order in which the two sides list their duties is no difference."""
    assert list(compare_duties([a_duty(), a_duty("h-02")], [a_duty("h-02"), a_duty()])) == []


def test_each_field_that_differs_is_named_with_its_duty() -> None:
    """Nested fields are named by their path."""
    live = a_duty(status="on_time", urging={"reminders": 2})
    name = {"agency": "h-01", "obligation": "results", "period": "2026"}
    assert list(compare_duties([a_duty()], [live])) == [
        {**name, "field": "/status", "rebuilt": "late", "live": "on_time"},
        {**name, "field": "/urging/reminders", "rebuilt": 1, "live": 2},
    ]


def test_a_duty_that_one_side_lacks_is_one_difference() -> None:
    """It is told with the status that the other side has."""
    missing, surplus = compare_duties([a_duty(period=None)], [a_duty("h-02")])
    assert (missing["period"], missing["field"], missing["rebuilt"], missing["live"]) == (None, "/", "late", "(absent)")
    assert (surplus["agency"], surplus["rebuilt"], surplus["live"]) == ("h-02", "(absent)", "late")
