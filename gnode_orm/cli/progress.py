"""A bar that shows on a terminal how far a long task is; elsewhere the lines of results say it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gnode_orm.cli.output import stderr
from gnode_orm.core.progress import Progress, silent


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Show a bar while what is inside runs."""
    console = stderr()
    if not console.is_terminal:
        yield silent
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)

        def show(done: int, total: int, text: str) -> None:
            # A new step is shown at once, however short it is.
            bar.update(task, completed=done, total=total, description=text, refresh=text != bar.tasks[0].description)

        yield show
