"""YAML becomes plain values, each with its line."""

import time
import unicodedata

import pytest

from schemas.lint import yaml_source


def test_scalars_have_the_types_of_yaml_1_2_and_dates_stay_text() -> None:
    """`on` and `yes` are text, a number with a leading zero is decimal, and a date stays text."""
    text = "on: yes\na: 010\nb: 0x1F\nc: 1.5\nd: ~\ne: true\nf: 2026-02-30\ng: '12'\nh: >-\n  x\n  y\ni: .inf\n"
    assert yaml_source.read(text).content == {
        "on": "yes", "a": 10, "b": 31, "c": 1.5, "d": None, "e": True, "f": "2026-02-30", "g": "12", "h": "x y",
        "i": float("inf"),
    }  # fmt: skip


def test_a_scalar_that_belies_its_tag_stays_text() -> None:
    """A value with the tag of a number that is none stays text, and the models refuse it."""
    assert yaml_source.read("a: !!int x\nb: !mine 3\n").content == {"a": "x", "b": "3"}


def test_text_is_brought_into_unicode_nfc() -> None:
    """Decomposed letters of keys and values become composed ones, also behind an escape sequence."""
    text = unicodedata.normalize("NFD", 'tên: Thọ Xuân\nb: "\\n') + '\u0303 a\\u0301"\n'
    assert yaml_source.read(text).content == {"tên": "Thọ Xuân", "b": "\n\u0303 á"}


def test_every_key_and_member_has_its_line() -> None:
    """The line of a missing value is that of the object that should contain it."""
    source = yaml_source.read("a:\n  b: {c: 1,\n      d: 2}\n  e:\n    - 1\n    - 2\n")
    paths = (("a",), ("a", "b", "c"), ("a", "b", "d"), ("a", "e", 1), ("a", "b", "missing", "x"), ("z",))
    assert [source.line_of(path) for path in paths] == [1, 2, 3, 6, 2, 1]


def test_an_alias_reads_as_what_it_stands_for() -> None:
    """An alias has the value of its anchor."""
    assert yaml_source.read("a: &x [1, 2]\nb: *x\n").content == {"a": [1, 2], "b": [1, 2]}


LAUGHS = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 11))


@pytest.mark.parametrize(
    "text, line, reason",
    [
        (LAUGHS, 1, "aliases repeat too much"),
        ("x: &x {a: 1}\ny: [" + "*x, " * 30_000 + "]", 1, "aliases repeat too much"),
        ("a: " + "[" * 20_000, 1, "nested too deeply"),
        ("a:\n" + "- " * 20_000, 2, "nested too deeply"),
        ("a: " + "{b: " * 20_000, 1, "nested too deeply"),
        ("".join("  " * depth + "a:\n" for depth in range(1_000)), 40, "nested too deeply"),
        ("a: 1\nb: !" + "x" * 1_000_000 + " 1", 2, "a tag is too long"),
        ("a: " + "x" * 20_000_001, 1, "the document is too large: 20000004 characters"),
    ],
)
def test_what_would_cost_more_than_its_length_is_refused(text: str, line: int, reason: str) -> None:
    """Aliases of aliases, depth and size have bounds, each refused at its line within a second or two."""
    started = time.process_time()
    with pytest.raises(yaml_source.NotYaml, match=reason) as refusal:
        yaml_source.read(text)
    assert refusal.value.line == line
    assert time.process_time() - started < 5


def test_a_document_of_too_many_values_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The keys and values are counted while they are read."""
    monkeypatch.setattr(yaml_source, "VALUES_MAX", 100)
    assert yaml_source.read("a: [" + "x," * 97 + "]").content
    with pytest.raises(yaml_source.NotYaml, match="it may have 100 keys and values") as refusal:
        yaml_source.read("a:\n" + "  - x\n" * 200)
    assert refusal.value.line == 99


def test_an_anchor_may_be_set_again_and_a_number_too_long_is_text() -> None:
    """The later anchor counts from there on; a number that nobody could print stays as it is written."""
    assert yaml_source.read("a: &x 1\nb: &x 2\nc: *x\n").content == {"a": 1, "b": 2, "c": 2}
    assert yaml_source.read(f"a: 0x{'f' * 9_000}").content == {"a": "0x" + "f" * 9_000}


@pytest.mark.parametrize(
    "text, line",
    [
        ("", 1),
        ("- 1\n", 1),
        ("a: 1\n\tb: 2\n", 2),
        ("a: 1\nb: *x\n", 2),
        ("a: 1\n---\nb: 2\n", 2),
        ("a: &x\n  b: *x\n", 1),
        ("a: \x00", 1),
    ],
)
def test_what_cannot_be_read_names_the_line_where_reading_stopped(text: str, line: int) -> None:
    """An empty text, broken YAML and an anchor that contains itself are refused."""
    with pytest.raises(yaml_source.NotYaml) as refusal:
        yaml_source.read(text)
    assert refusal.value.line == line
