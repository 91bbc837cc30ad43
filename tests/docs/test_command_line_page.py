"""The page of the command line names the commands and options that there are."""

from __future__ import annotations

import re
from typing import Any

import pytest
import typer

from gnode_orm.cli.app import app
from tests.docs.pages import PAGES, ROOT, Fence, fences, table_under

COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
LINES = [
    (fence, line)
    for page in PAGES
    for fence in fences(page, "console", "sh")
    for line in re.findall(r"gnode-orm [^|;&)\n]*", fence.body)
]


def test_each_command_is_in_the_table() -> None:
    listed = {row[0].strip("`") for row in table_under(ROOT / "docs/howto/command-line.md", "Commands")}
    assert listed == set(COMMANDS)


@pytest.mark.parametrize(("fence", "line"), LINES, ids=lambda value: value if isinstance(value, str) else "")
def test_commands_and_options_that_pages_use_exist(fence: Fence, line: str) -> None:
    name = line.split()[1]
    if name.startswith("-"):
        assert name in ("--help", "--version", "--debug")
        return
    command = COMMANDS[name]
    # A command with commands of its own names one of them next.
    command = getattr(command, "commands", {}).get(" ".join(line.split()[2:3]), command)
    options = {option for parameter in command.params for option in parameter.opts}
    used = {word for word in line.split()[2:] if re.fullmatch(r"--?[a-z-]+", word)}
    assert used - {"--help"} <= options
