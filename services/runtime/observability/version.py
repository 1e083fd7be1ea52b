"""Finds out which version of Đôn Đốc this is, and from which git commit its code comes."""

import os
import subprocess
import tomllib
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

PACKAGE = "dondoc"

# Set when the container image is built, where there is no checkout.
COMMIT_VARIABLE = "DONDOC_COMMIT"
UNKNOWN_VERSION = "unknown version"
UNKNOWN_COMMIT = "unknown commit"
ROOT = Path(__file__).parents[3]
GIT_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """The version and the short commit id of the code that runs."""

    version: str
    commit: str


def find_build(root: Path = ROOT) -> Build:
    """Return version and commit of the code below *root*; what cannot be found out is said so in words."""
    commit = _read_checkout_commit(root) or os.environ.get(COMMIT_VARIABLE, "").strip() or UNKNOWN_COMMIT
    return Build(version=_read_version(root), commit=commit)


def describe_version(root: Path = ROOT) -> str:
    """Return version and commit of the code below *root*, for example `0.1.0 (3d4f567)`."""
    build = find_build(root)
    return f"{build.version} ({build.commit})"


def _read_version(root: Path) -> str:
    """Return the version of the installed package, else the one in the `pyproject.toml` beside the code."""
    try:
        return metadata.version(PACKAGE)
    except metadata.PackageNotFoundError:
        # The container image has the code on its path without installing it, so there is no metadata.
        return _read_project_version(root / "pyproject.toml")


def _read_project_version(file: Path) -> str:
    try:
        version = tomllib.loads(file.read_text(encoding="utf-8"))["project"]["version"]
    except (OSError, tomllib.TOMLDecodeError, KeyError):
        return UNKNOWN_VERSION
    return str(version)


def _read_checkout_commit(root: Path) -> str | None:
    """Return the short commit id that is checked out in *root*, None where *root* is no checkout."""
    # git also searches the folders above. Code that is installed into a virtual environment inside some other
    # checkout must not be given that checkout's commit, so *root* itself must hold `.git` (a file in a worktree).
    if not (root / ".git").exists():
        return None
    command = ("git", "-C", str(root), "rev-parse", "--short", "HEAD")
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=GIT_TIMEOUT_SECONDS)  # noqa: S603 - fixed arguments
    except (OSError, subprocess.SubprocessError):  # no git here, no commit yet, or a checkout of another user
        return None
    return done.stdout.strip() or None
