"""Rules can read whatever intake lets into the log: what the strict models accept, the tolerant decoder decodes."""

import copy
import json
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.events.facts import MODEL_OF
from services.rules import fact_decoder

EXAMPLES = Path(__file__).parent.parent.parent / "schemas" / "examples"
FACTS = [json.loads((EXAMPLES / f"{name}.json").read_text()) for name in MODEL_OF]
STAMP = {"receivedtime": "2024-12-05T08:42:11.507Z"}

odd_texts = st.one_of(
    st.sampled_from(
        [
            "0001-01-01T00:00:00+23:59",
            "9999-12-31T23:59:59.999999-23:59",
            "2024-02-29t23:59:59.1234567z",
            "2024-12-09 23:59:59+07:00",
            "2024-12-09T23:59:59-00:00",
            "2024-12-10T24:00:00Z",
            "2024-06-30T23:59:60Z",
            "2024-12-09",
            "2024-02-30",
            "1000-01-01",
            "٢٠٢٤-12-09",
            "2024",
            "2024\n",
            "2024-H2",
        ]
    ),
    st.sampled_from(
        ["1e29", "-.5", "1.", "1_0", "٣", "1e400", "Infinity", "0x10", "", " ", "9" * 400, "\x00", "\u2028"]
    ),
    st.text(max_size=4),
)
odd_values = st.one_of(
    odd_texts,
    st.none(),
    st.booleans(),
    st.sampled_from([0, -1, 10**29, 10**31, 2**63, 2**64, 1e29, 5e-324, -0.0, 0.1]),
    st.dictionaries(odd_texts, odd_texts | st.integers(), max_size=2),
)


@st.composite
def odd_facts(draw: st.DrawFn) -> dict[str, Any]:
    """A fact in which some fields of its data are replaced, removed or added."""
    event: dict[str, Any] = copy.deepcopy(draw(st.sampled_from(FACTS)))
    for _ in range(draw(st.integers(1, 3))):
        owner = draw(st.sampled_from(_objects(event["data"])))
        key = draw(st.sampled_from([*owner, "unheard-of"]))
        if draw(st.integers(0, 4)):
            owner[key] = draw(odd_values)
        else:
            owner.pop(key, None)
    return event


def _objects(node: dict[str, Any]) -> list[dict[str, Any]]:
    inner = [one for value in node.values() if isinstance(value, dict) for one in _objects(value)]
    return [node, *inner]


# The models accept one odd fact in six. Hypothesis looks for as many accepted ones as usual, but would stop where
# fifty of the first sixty are refused, which the seed decides.
@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given(event=odd_facts())
def test_a_fact_that_the_models_accept_is_decoded_by_rules(event: dict[str, Any]) -> None:
    """A fact that the published models accept is decoded, or an acknowledged report would become a dead letter."""
    try:
        MODEL_OF[event["type"]].model_validate(event["data"])
    except ValidationError:
        assume(False)
    assert fact_decoder.decode_fact(msgspec.json.encode(event | STAMP)).id == event["id"]
