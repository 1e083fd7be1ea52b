"""What an expression can cost at most, from its text and from the bounds of what intake takes.

The unit is one step of the evaluation, about 0.2 microseconds. A cost is an upper bound and depends on nothing else, so
that an expression is refused or evaluated on every machine alike.
"""

from dataclasses import dataclass

from schemas.cel.values import DIGITS_MAX

COST_MAX = 250_000
"""Units that one condition may cost: some 50 ms, of the worst regular expression five times as much.

Twenty steps for each of 500 attachments are 10,000; comparing each attachment with each other one is 1,250,000.
"""

CALCULATION = 5
"""Units of one calculation, for the digits that a number may have."""

CHARS_A_UNIT = 100
"""Characters of text that are searched or compared in one unit."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a value can be at most: how many characters or items it has, and of what shape these are.

    `item` is the largest item. `share` is the average one where the items have a bound together, as the sections of one
    report have: who goes through all of them meets the average. `keys_of` names the map that a key was taken from.
    A key of a map is found in one step, whatever its size.
    """

    size: int = 1
    item: "Shape | None" = None
    share: "Shape | None" = None
    keys_of: str | None = None
    is_map: bool = False

    @property
    def weight(self) -> int:
        """The units that it takes to go through the value once."""
        if self.item is None:
            return 1 + self.size // CHARS_A_UNIT
        return 1 + self.size * (self.share or self.item).weight


SMALL = Shape()
"""A truth value, a number or null."""

NUMBER_TEXT = Shape(size=3 * DIGITS_MAX)
"""A number as text."""


def join_shapes(*shapes: Shape) -> Shape:
    """Return the shape of a value that can have any of *shapes*."""
    if not shapes:
        return SMALL
    items = [one.item for one in shapes if one.item is not None]
    return Shape(
        size=max(one.size for one in shapes),
        item=join_shapes(*items) if items else None,
        is_map=all(one.is_map for one in shapes),
    )


def add_shapes(left: Shape, right: Shape) -> Shape:
    """Return the shape of one text or list behind another."""
    joined = join_shapes(left, right)
    return Shape(size=left.size + right.size, item=joined.item)
