"""JSON in lines, as commands print it and as answers carry it."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.runtime import json_lines

SCALARS = st.none() | st.booleans() | st.integers() | st.text(st.characters(codec=None)) | st.floats(allow_nan=False)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=5)
)


@given(value=VALUES, repeated=st.integers(0, 1_200))
def test_a_value_in_portions_has_the_bytes_of_the_whole(value: Any, repeated: int) -> None:
    """However long its lists are, and wherever they stand."""
    for whole in (value, [value] * repeated, {"a": [{"b": [value] * repeated, "c": value}]}):
        assert json_lines.encode_gradually(whole) == json_lines.encode_value(whole)
