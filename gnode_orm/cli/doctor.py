"""The command ``doctor``: is everything there and in order, and what to do where it is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Annotated

import typer
from rich.text import Text

from gnode_orm.cli.failures import FAILED
from gnode_orm.cli.options import JsonOption
from gnode_orm.cli.output import printable, say, stdout, write_json

GOOD, NOTE, BAD = "ok", "note", "problem"
_STYLES = {GOOD: "green", NOTE: "yellow", BAD: "red"}

DoctorLabOption = Annotated[
    str | None,
    typer.Option(
        "--lab", metavar="TARGET", help="The lab to examine; without it the one that other commands would use.",
        show_default=False,
    ),
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        remedy: what to do, where there is something to do.
    """

    name: str
    state: str
    finding: str
    remedy: str | None = None


def doctor(lab: DoctorLabOption = None, json: JsonOption = False) -> None:
    """Examine the installation and the lab, and name what to do next."""
    from gnode_orm.cli.doctor_installation import installation_checks
    from gnode_orm.cli.doctor_lab import lab_checks

    checks = [*installation_checks(), *lab_checks(lab)]
    if json:
        write_json([asdict(check) for check in checks])
    else:
        _print(checks)
    if any(check.state == BAD for check in checks):
        raise typer.Exit(FAILED)


def _print(checks: list[Check]) -> None:
    width = max(len(check.name) for check in checks)
    for check in checks:
        line = Text(f"{check.state:<7}", style=_STYLES[check.state])
        line.append(f"  {check.name:<{width}}  {printable(check.finding)}", style="default")
        stdout().print(line)
    for remedy in _remedies(checks):
        say(remedy)


def _remedies(checks: list[Check]) -> Iterator[str]:
    for state, title in ((BAD, "To be mended:"), (NOTE, "Worth knowing:")):
        found = dict.fromkeys(check.remedy for check in checks if check.state == state and check.remedy)
        if found:
            yield ""
            yield title
            yield from (f"  {remedy}" for remedy in found)
    if not any(check.state == BAD for check in checks):
        yield ""
        yield "Everything that is needed is in order."
