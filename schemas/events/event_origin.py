"""The origin of an event, which everything keeps that follows from it: when it was received, and its trace.

The trace is that of the CloudEvents extension for distributed tracing, with the values of W3C Trace Context. Senders
write it, so it is read as anything may be that comes from outside: what is not of that form is no trace. It ends up in
the header of a mail, and nothing else than that form may.
"""

import re
from datetime import datetime

import msgspec

# Version 00 of the standard; a later version begins in the same way and may say more behind it.
_PARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_TRACE_ID = slice(3, 35)
_STATE_CHARACTERS_MAX = 512  # what a vendor must pass on at least
_STATE = re.compile(r"[\x21-\x7e]+(?:[ \t]*[\x21-\x7e]+)*")


class TraceContext(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A place in a trace, as `traceparent` names it, and what vendors keep of theirs (`tracestate`), if anything."""

    parent: str
    state: str | None = None

    @property
    def trace_id(self) -> str:
        """The id of the whole trace: 32 hexadecimal digits."""
        return self.parent[_TRACE_ID]


class EventOrigin(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Where something comes from: when intake received the event behind it, and the trace; None where there is none.

    `assessed_at` is when rules wrote what it concluded of the event.
    """

    received_at: datetime | None = None
    assessed_at: datetime | None = None
    trace: TraceContext | None = None


NO_ORIGIN = EventOrigin()


def read_trace(parent: object, state: object) -> TraceContext | None:
    """Return the trace that an event's attributes *parent* and *state* name; None unless *parent* is valid.

    A state that is not printable ASCII, or longer than the standard lets one rely on, is left out.
    """
    if not isinstance(parent, str) or not _PARENT.fullmatch(parent):
        return None
    is_state = isinstance(state, str) and len(state) <= _STATE_CHARACTERS_MAX and _STATE.fullmatch(state)
    return TraceContext(parent=parent, state=str(state) if is_state else None)
