"""Only what W3C Trace Context allows is a trace: it goes into the header of a mail."""

import pytest

from schemas.events import event_origin
from schemas.events.event_origin import TraceContext

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_a_trace_is_read_with_its_state() -> None:
    """The id of the trace is the second part."""
    trace = event_origin.read_trace(PARENT, "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7")
    assert trace == TraceContext(parent=PARENT, state="congo=t61rcWkgMzE,rojo=00f067aa0ba902b7")
    assert trace is not None
    assert trace.trace_id == "0af7651916cd43dd8448eb211c80319c"


@pytest.mark.parametrize(
    "parent",
    [
        None,
        7,
        "",
        "00-x",
        PARENT.upper(),
        PARENT + "\r\nBcc: a@x.example",
        PARENT + "\n",
        "ff" + PARENT[2:],
        "00-" + "0" * 32 + "-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-" + "0" * 16 + "-01",
    ],
)
def test_what_is_no_trace_is_none(parent: object) -> None:
    """A line end, capital letters, an id of zeros, another type: there is no trace then, and no error."""
    assert event_origin.read_trace(parent, "a=1") is None


@pytest.mark.parametrize("state", [None, 7, "", " ", "a=1\r\nBcc: a@x.example", "a=é", "a=" + "1" * 511])
def test_a_state_that_is_none_is_left_out(state: object) -> None:
    """The trace goes on without it."""
    assert event_origin.read_trace(PARENT, state) == TraceContext(parent=PARENT)
