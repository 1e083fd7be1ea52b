"""Libraries in Java, which Maven fetches from the registry; where there is none, what needs them is left out."""

import shutil
import subprocess
from pathlib import Path

FETCH_SECONDS = 600.0


def is_available() -> bool:
    """Whether this machine can fetch and run libraries in Java."""
    return shutil.which("mvn") is not None and shutil.which("java") is not None


def fetch_libraries(project: Path, folder: Path) -> str:
    """Fetch what the `pom.xml` in *project* names into *folder*; return the class path."""
    goal = ("dependency:copy-dependencies", f"-DoutputDirectory={folder / 'jars'}")
    subprocess.run(["mvn", "-q", "-B", "-f", str(project / "pom.xml"), *goal], check=True, timeout=FETCH_SECONDS)  # noqa: S607 # our own projects, Maven from PATH
    return f"{folder / 'jars'}/*"
