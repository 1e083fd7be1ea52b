"""Long lists of cases: some of each run whenever the tests do, and all of them with `make chaos`."""

from collections.abc import Sequence

import pytest
from _pytest.mark import ParameterSet


def matrix(cases: Sequence[object], *, in_every_run: int) -> list[ParameterSet]:
    """Return *cases* for `parametrize`; those after the first *in_every_run* are marked `matrix`."""
    return [
        pytest.param(
            *(case if isinstance(case, tuple) else (case,)), marks=[pytest.mark.matrix] * (place >= in_every_run)
        )
        for place, case in enumerate(cases)
    ]
