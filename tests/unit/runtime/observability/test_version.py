"""The version names the package's version and the commit that the running code comes from."""

import subprocess
from importlib import metadata
from pathlib import Path

import pytest

from services.runtime.observability import version

VERSION = metadata.version("dondoc")


@pytest.fixture(autouse=True)
def no_commit_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """No commit is given by the environment."""
    monkeypatch.delenv("DONDOC_COMMIT", raising=False)


def git(folder: Path, *arguments: str) -> str:
    """Run git in *folder* and return its output; neither the user's nor the system's settings matter."""
    environment = {"PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    identity = ("-c", "user.name=A", "-c", "user.email=a@x.example")
    command = ["git", *identity, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with one commit."""
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "first")
    return tmp_path


def test_a_checkout_names_its_commit(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commit that is checked out counts, even if the environment gives another one."""
    commit = git(checkout, "rev-parse", "--short", "HEAD").strip()
    monkeypatch.setenv("DONDOC_COMMIT", "0000000")
    assert version.describe_version(checkout) == f"{VERSION} ({commit})"


def test_without_a_checkout_the_environment_names_the_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container image the commit is the one that the image was built with."""
    monkeypatch.setenv("DONDOC_COMMIT", "3d4f567")
    assert version.describe_version(tmp_path) == f"{VERSION} (3d4f567)"


@pytest.mark.parametrize("commit", [None, "", " "])
def test_a_commit_that_nobody_knows_is_called_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, commit: str | None
) -> None:
    """Without a checkout and with no or a blank variable the version still is printed."""
    if commit is not None:
        monkeypatch.setenv("DONDOC_COMMIT", commit)
    assert version.describe_version(tmp_path) == f"{VERSION} (unknown commit)"


def test_a_checkout_around_the_code_is_not_taken_for_its_own(checkout: Path) -> None:
    """Code that was installed below another project's checkout does not name that project's commit."""
    installed = checkout / "venv" / "site-packages"
    installed.mkdir(parents=True)
    assert version.describe_version(installed) == f"{VERSION} (unknown commit)"


def test_a_checkout_without_a_commit_is_unknown(tmp_path: Path) -> None:
    """A repository that git cannot name a commit of gives no error."""
    git(tmp_path, "init", "-q")
    assert version.describe_version(tmp_path) == f"{VERSION} (unknown commit)"


def test_without_metadata_the_project_file_names_the_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code that is not installed, as in the container image, has a `pyproject.toml` beside it."""
    monkeypatch.setattr(version, "PACKAGE", "no-such-package")
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "9.8.7"\n')
    assert version.describe_version(tmp_path) == "9.8.7 (unknown commit)"


@pytest.mark.parametrize("content", [None, "", "[project]\n", "not TOML"])
def test_a_version_that_nobody_knows_is_called_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    """A missing or unreadable project file gives no error."""
    monkeypatch.setattr(version, "PACKAGE", "no-such-package")
    if content is not None:
        (tmp_path / "pyproject.toml").write_text(content)
    assert version.describe_version(tmp_path) == "unknown version (unknown commit)"
