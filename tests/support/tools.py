"""Programs that tests run and that no package registry has: a browser, Prometheus' own tools, a mail system."""

import os
import shutil

import pytest

# The programs that must be there, separated by blanks: CI installs them, so that none of their tests is left out there.
REQUIRED = "DONDOC_TEST_REQUIRES"


def needs(program: str, *, package: str) -> pytest.MarkDecorator:
    """Return the mark of tests that run *program* of the Debian *package*: they are skipped where it is missing.

    On a machine that must have it they run, and fail.
    """
    is_required = program in os.environ.get(REQUIRED, "").split()
    reason = f"{program} is not installed (Debian: apt-get install {package})"
    return pytest.mark.skipif(not is_required and shutil.which(program) is None, reason=reason)
