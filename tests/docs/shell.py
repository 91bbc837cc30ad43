"""Runs a console block of the documentation, line by line.

Lines that begin with ``$`` are commands; the lines below one are what it writes to standard output, with ``...`` for
any text. Where none is shown, the command must only succeed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.docs.pages import Fence
from tests.docs.snippets import PageIsWrong, fits, listed

PROMPT = "$ "


def run_console(fence: Fence) -> None:
    """Run the commands of a block in the current folder.

    Raises:
        PageIsWrong: a command fails, or writes something else than the page says.
    """
    for command, shown in commands(fence):
        done = subprocess.run(command, shell=True, env=_environment(), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise PageIsWrong(f"{fence}: {command} ends with status {done.returncode}:\n{done.stdout}{done.stderr}")
        written = [line.rstrip() for line in done.stdout.rstrip("\n").splitlines()]
        if shown and not fits(written, shown):
            raise PageIsWrong(f"{fence}: {command}\nwrites\n{listed(written)}\nbut the page says\n{listed(shown)}")


def commands(fence: Fence) -> Iterator[tuple[str, list[str]]]:
    """Give each command with the lines shown below it."""
    command, shown = "", []
    for line in fence.body.splitlines():
        if line.startswith(PROMPT):
            if command:
                yield command, shown
            command, shown = line.removeprefix(PROMPT), []
        else:
            shown.append(line.rstrip())
    if command:
        yield command, [line for line in shown if line] and shown


def _environment() -> dict[str, str]:
    scripts = str(Path(sys.executable).parent)
    return {**os.environ, "PATH": os.pathsep.join([scripts, os.environ["PATH"]]), "COLUMNS": "120"}
