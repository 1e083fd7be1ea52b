"""The folder of everything that this machine keeps for a checkout: servers, their data, keys of the local system."""

import os
from pathlib import Path

DEFAULT_HOME = ".dondoc"


def home() -> Path:
    """Return DONDOC_HOME as an absolute path, else `.dondoc` in the working folder."""
    return Path(os.environ.get("DONDOC_HOME", DEFAULT_HOME)).absolute()
