"""Where two answers differ is said by path, element by element."""

from services.console.support.json_diff import ABSENT, find_differences


def test_equal_answers_do_not_differ() -> None:
    """Equal values give no difference."""
    assert list(find_differences({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]})) == []


def test_a_field_is_named_by_its_path() -> None:
    """A difference names the path and both values."""
    assert list(find_differences({"total": {"late": 1}}, {"total": {"late": 2}})) == [
        {"field": "/total/late", "rebuilt": 1, "live": 2}
    ]


def test_elements_are_told_apart_by_what_they_are_about_and_not_by_their_place() -> None:
    """A missing duty is one difference, because elements are matched by identity and not by index."""
    rebuilt = [{"agency": name, "obligation": "o", "period": "2026", "status": "late"} for name in ("a", "b", "c")]
    (found,) = find_differences(rebuilt, rebuilt[1:])
    assert (found["field"], found["live"]) == ("/a|o|2026", ABSENT)


def test_a_field_that_only_one_side_has_is_a_difference() -> None:
    """A field that only one side has differs from a field that is null."""
    assert list(find_differences({"a": None}, {})) == [{"field": "/a", "rebuilt": None, "live": ABSENT}]
