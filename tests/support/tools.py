"""Programs that tests run and that no package registry has: a browser, Prometheus' own tools, a mail system."""

import os
import shutil

import pytest

# The programs that must be there, separated by blanks: CI installs them, so that none of their tests is left out there.
REQUIRED = "DONDOC_TEST_REQUIRES"


def needs(program: str, *, package: str, as_root: bool = False) -> pytest.MarkDecorator:
    """Return the mark of tests that run *program* of the Debian *package*: they are skipped where it is missing.

    So they are without the rights of root where the program starts with those only. On a machine that must have it
    they run, and fail.
    """
    is_required = program in os.environ.get(REQUIRED, "").split()
    is_there = shutil.which(program) is not None and (not as_root or os.geteuid() == 0)
    reason = f"{program} is not installed (Debian: apt-get install {package})"
    reason += ", or this is not root" if as_root else ""
    return pytest.mark.skipif(not is_required and not is_there, reason=reason)
