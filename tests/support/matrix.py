"""Long lists of cases: `make test` runs some of each, and `make chaos` all that is left."""

from collections.abc import Sequence

import pytest
from _pytest.mark import ParameterSet


def matrix(cases: Sequence[object], *, in_every_run: int) -> list[ParameterSet]:
    """Return *cases* for `parametrize`; those after the first *in_every_run* are marked `chaos`."""
    return [
        pytest.param(
            *(case if isinstance(case, tuple) else (case,)), marks=[pytest.mark.chaos] * (place >= in_every_run)
        )
        for place, case in enumerate(cases)
    ]
