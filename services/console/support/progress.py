"""Shows on a terminal that a command works, and for how long; data on stdout and a captured stderr stay as they are."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn


@contextmanager
def show_progress(what: str) -> Iterator[None]:
    """Show on a terminal, on stderr, that *what* is on its way and for how long; elsewhere show nothing."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        # Reporting sends nothing before it has drawn the last page, so the bar runs without an end in sight.
        progress.add_task(what, total=None)
        yield
