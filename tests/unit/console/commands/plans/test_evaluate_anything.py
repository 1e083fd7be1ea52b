"""Whatever `dondoc evaluate` is given, it answers every question or refuses with the place: never a traceback."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from services.console.main import app
from tests.support.assertions.spec import undated
from tests.support.builders.plan_folders import a_folder
from tests.support.builders.plans import (
    Json,
    a_reassignment,
    a_revocation,
    a_submission,
    a_version,
    a_withdrawal,
    an_exemption,
    an_extension,
    an_obligation,
)

PLACE = re.compile(r"(facts|queries)\.jsonl:\d+: ")
STAMP = "2024-12-01T08:00:00+07:00"
EVENTS: tuple[Json, ...] = (
    a_submission("s-1"),
    a_submission("s-2", data={"corrects": "s-1", "period": None}),
    a_withdrawal("w-1", "s-1"),
    a_reassignment("m-1", "s-1", to="2023"),
    an_extension("x-1", "2024-12-31T00:00:00+07:00"),
    an_exemption("e-1", STAMP, "9999-12-31T23:59:59Z"),
    a_revocation("r-1", "e-1", None),
)
QUESTION: Json = {"agency": "h-mot", "obligation": "results", "period": "2024", "at": STAMP, "known_at": STAMP}

odd_times = st.sampled_from(
    [
        "0001-01-01T00:00:00+23:59",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999-23:59",
        "9999-12-31T23:59:59Z",
        "2024-02-29t23:59:59.123456789z",
        "2024-12-09 23:59:59+07:00",
        "2024-06-30T23:59:60Z",
        "2024-W50-1T00:00Z",
        "2024-12-10T24:00:00Z",
        "1970-01-01T00:00:00",
    ]
)
odd_texts = st.one_of(
    odd_times,
    st.sampled_from(["", " ", "2024", "2024-Q4", "9999", "0000", "٢٠٢٤", "h-mot", "h-bon", "results", "0001-01-01"]),
    st.sampled_from(["9999-12-31", "2024-02-30", "\u2028", "\x00", "\ud800", "NaN", "1e400", "-0", "9" * 400]),
    st.text(max_size=5),
)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.sampled_from([10**400, -(2**63), 2**64, 1e308, -0.0]), odd_texts
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(odd_texts, inner, max_size=2), max_leaves=4
)
raw_lines = st.one_of(
    st.sampled_from(
        ["{", "[]", "null", "3", '"x"', "{}", '{"a": NaN}', '{"a": 1e999}', '{"a": 1, "a": 2}', "\ufeff{}"]
    ),
    st.text(max_size=10).filter(lambda text: "\n" not in text and text.isprintable()),
    st.sampled_from(["[" * 20_000, '{"data":' * 20_000, '{"x": ' + "9" * 5000 + "}"]),
)


@st.composite
def damage(draw: st.DrawFn, sound: st.SearchStrategy[Json]) -> Json:
    """Draw a sound object with up to two of its values replaced or removed."""
    found = copy.deepcopy(draw(sound))
    for _ in range(draw(st.integers(0, 2))):
        owner, key = draw(st.sampled_from(_places(found)))
        if draw(st.booleans()):
            owner[key] = draw(values)
        else:
            del owner[key]
        if not found:
            break
    return found


def _places(node: Json) -> list[tuple[Any, str]]:
    inner = [place for value in node.values() if isinstance(value, dict) and value for place in _places(value)]
    return [*((node, key) for key in node), *inner]


events = st.sampled_from([event | {"receivedtime": STAMP, "recordedtime": STAMP} for event in EVENTS])
lines = st.one_of(st.builds(json.dumps, damage(events)), raw_lines)
questions = st.one_of(st.builds(json.dumps, damage(st.just(QUESTION))), raw_lines)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plan with a dated, an undated and a one-off obligation."""
    obligations = [
        an_obligation(a_version(requires={"indicators": [{"code": "x", "min": 0}], "attachments": {"min": 1}})),
        an_obligation(undated(), id="publicity"),
    ]
    return a_folder(tmp_path_factory.mktemp("plan"), obligations=obligations)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(log=st.lists(lines, max_size=4), asked=st.lists(questions, min_size=1, max_size=2))
def test_every_run_ends_in_answers_or_in_a_place(folder: Path, log: list[str], asked: list[str]) -> None:
    """Every run exits 0 with a line of JSON a query, or exits 2 with FILE:LINE and nothing on stdout."""
    facts, query = folder / "facts.jsonl", folder / "queries.jsonl"
    facts.write_text("\n".join(log), encoding="utf-8", errors="surrogatepass")
    query.write_text("\n".join(asked), encoding="utf-8", errors="surrogatepass")
    result = CliRunner().invoke(app, ["evaluate", str(folder), "--facts", str(facts), "--query", str(query)])
    assert result.exit_code in {0, 2}, result.exception
    if result.exit_code == 0:
        answered = [json.loads(line) for line in result.stdout.splitlines()]
        assert len(answered) == len([line for line in asked if line.strip()])
    else:
        assert PLACE.search(result.stderr)
        assert result.stdout == ""
