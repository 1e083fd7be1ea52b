"""Settings that cannot be, in words. It knows no client and no server: the console's pure commands load it, too."""

from collections.abc import Iterator

from pydantic import ValidationError

UNUSABLE = 2
"""The exit code of whatever was given something that it cannot use."""


def faults(refused: ValidationError) -> Iterator[str]:
    """Yield what is wrong with each setting, by its name."""
    for fault in refused.errors(include_url=False, include_input=False):
        place = "".join(f"setting {name}: " for name in fault["loc"])
        yield f"{place}{fault['msg'].removeprefix('Value error, ')}"
