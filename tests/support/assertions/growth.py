"""How the work of a function grows with its input, counted in instructions of Python and therefore the same everywhere.

The time that a machine takes says little about growth, least of all on a busy machine. Python can report each bytecode
instruction that it executes; their number for n, 2n and 4n shows a quadratic function at once.

What runs inside one instruction (a set operation, a comparison of two tuples) is not seen. `CountedText` makes the
greater part of it visible: it is compared and hashed by Python code, which is counted like all other code.
"""

import sys
from collections.abc import Callable
from itertools import pairwise
from types import FrameType
from typing import Any, TypeVar

Input = TypeVar("Input")

SIZES = (250, 500, 1000)
GREATEST_GROWTH = 2.4  # for twice the input; n log n grows by less than 2.3 at these sizes, n² by 4


class CountedText(str):
    """A text that is compared and hashed by Python code, so that comparisons inside C code are counted too."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return str.__eq__(self, other) is True

    def __hash__(self) -> int:
        return str.__hash__(self)


def assert_near_linear(build: Callable[[int], Input], run: Callable[[Input], object]) -> None:
    """Assert that the work of *run* on what *build* makes of n, 2n and 4n grows by little more than the input."""
    counted = [count_instructions(run, build(size)) for size in SIZES]
    growth = [later / earlier for earlier, later in pairwise(counted)]
    assert max(growth) <= GREATEST_GROWTH, f"instructions for {SIZES}: {counted}, which grow by {growth}"


def count_instructions(run: Callable[[Input], object], argument: Input) -> int:
    """Return how many instructions Python executes while *run* works on *argument*."""
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        if event == "call":
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
        elif event == "opcode":
            count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run(argument)
    finally:
        sys.settrace(before)
    return count
