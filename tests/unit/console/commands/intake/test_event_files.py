"""Events of a file are sent as their sender wrote them, and a file that holds none is refused by its place."""

from pathlib import Path

import pytest

from services.console.commands.intake import event_files
from services.console.support.inputs import UnusableInputError

DEEP = 200_000


def bodies(file: Path, content: str | bytes) -> list[bytes]:
    """Return the bodies that are sent of a file with *content*."""
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return [one.body for one in event_files.read_events(file, "en")]


def refusal(file: Path, content: str | bytes) -> str:
    """Return why a file with *content* is refused, without its folder."""
    with pytest.raises(UnusableInputError) as caught:
        bodies(file, content)
    return str(caught.value).replace(f"{file.parent}/", "")


@pytest.mark.parametrize("inside", ["\u2028", "\u2029", "\x85"])
def test_only_a_line_feed_ends_a_line(tmp_path: Path, inside: str) -> None:
    """Only a line feed ends a line; U+2028 and the like may stand in a text."""
    lines = [f'{{"title": "a{inside}b"}}', '{"title": "c"}']
    assert bodies(tmp_path / "a.jsonl", "\r\n\n".join(lines)) == [line.encode() for line in lines]


def test_an_event_of_an_array_is_sent_in_its_own_writing(tmp_path: Path) -> None:
    """An event of an array keeps its own bytes: trailing zeros, digits and escapes."""
    written = ['{"a": 9984.20 }', '{"b":1.00000000000000000000000001,"b":2}', '{"c":"\\u00e9 é"}', "{}"]
    assert bodies(tmp_path / "a.json", f" [{' , '.join(written)}]\n") == [one.encode() for one in written]
    assert bodies(tmp_path / "a.json", "[]") == []


def test_a_file_that_is_one_event_is_sent_to_the_byte(tmp_path: Path) -> None:
    """A file that is one event is sent byte for byte, without a byte order mark."""
    content = b' {"a":\r\n 1.0}\n\n'
    assert bodies(tmp_path / "a.json", content) == [content]
    assert bodies(tmp_path / "a.json", b"\xef\xbb\xbf" + content) == [content]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.json", '{"a":\n 1,}', "a.json: not JSON: Expecting property name enclosed in double quotes at line 2, "),
        ("a.json", "", "a.json: not JSON: Expecting value at line 1, column 1"),
        ("a.json", "5", "a.json: an event is a JSON object"),
        ("a.json", "[{}, 5]", "a.json: event 2: an event is a JSON object"),
        ("a.json", '[{"a": "\\ud800"}]', "a.json: not JSON: "),
        ("a.json", '{"a": NaN}', "a.json: not JSON: "),
        ("a.json", '{"a":' + "[" * DEEP + "]" * DEEP + "}", "a.json: not JSON: nested too deeply"),
        ("a.json", "[" * DEEP + "]" * DEEP, "a.json: not JSON: nested too deeply"),
        ("a.jsonl", "{}\n\n{} {}", "a.jsonl:3: not JSON: Extra data at line 1, column 4"),
        ("a.jsonl", "{}\n" + '{"a":' * DEEP, "a.jsonl:2: not JSON: nested too deeply"),
        ("a.jsonl", b"{}\n\xff", "a.jsonl:2: not UTF-8 text"),
        ("a.doc", "{}", "a.doc: .doc is not taken"),
    ],
)
def test_what_is_no_event_is_refused_at_its_place(tmp_path: Path, name: str, content: str | bytes, said: str) -> None:
    """A file that holds no event is refused with its place, with line and column where JSON is malformed."""
    assert refusal(tmp_path / name, content).startswith(said)
