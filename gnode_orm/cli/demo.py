"""The command ``demo``: a small recording, taken through the real import, and what to try next."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gnode_orm.cli.failures import WrongUse
from gnode_orm.cli.output import note, say
from gnode_orm.cli.values import short
from gnode_orm.errors import ValidationFailed

if TYPE_CHECKING:
    from gnode_orm.session import Session

DemoLabArgument = Annotated[str, typer.Argument(metavar="LAB", help="A folder for the lab, made when missing.")]
_AUTHOR = "gnode-orm demo"


def demo(lab: DemoLabArgument = "./demo-lab") -> None:
    """Simulate a recording, write it to files, import them into a lab, and show what to try next. Needs no network."""
    from gnode_orm.session import Session

    if "://" in lab:
        raise WrongUse(f"{lab}: the demo makes a lab in a folder, such as ./demo-lab")
    files = _recording_folder(lab)
    with Session(lab) as session:
        _check_own(session, lab)
        if _is_there(session):
            say(f"The demo is in {lab} already.")
        else:
            _fill(session, files)
        _print_next(session, lab, files)


def _recording_folder(lab: str) -> Path:
    """The files stand beside the lab: a lab holds nothing but its own."""
    path = Path(lab)
    return path.with_name(f"{path.resolve().name}-files")


def _check_own(session: Session, lab: str) -> None:
    """Refuse to mix invented data into a lab with other recordings."""
    from gnode_orm.cli.demo_recording import trial_names
    from gnode_orm.models import Block

    strangers = session.query(Block).where(~Block.name.in_(trial_names())).first()
    if strangers is not None:
        raise ValidationFailed(
            f"{lab} holds other recordings, such as {strangers!r}; give the demo a lab of its own: "
            "gnode-orm demo ./demo-lab"
        )


def _is_there(session: Session) -> bool:
    return bool(_blocks(session)) and _document(session) is not None and not _missing(session)


def _missing(session: Session) -> list[str]:
    from gnode_orm.cli.demo_recording import trial_names

    stored = {block.name for block in _blocks(session)}
    return [name for name in trial_names() if name not in stored]


def _fill(session: Session, folder: Path) -> None:
    """Import what is not there yet, then tie the recordings to their metadata."""
    from gnode_orm.cli.demo_recording import write_recording
    from gnode_orm.cli.importing import stored_line
    from gnode_orm.cli.progress import progress_bar

    paths = write_recording(folder)
    say(f"Wrote a simulated recording to {folder}: {', '.join(path.name for path in paths)}")
    missing = _missing(session)
    for path in paths:
        if path.stem not in missing and (path.suffix == ".nex" or _document(session) is not None):
            continue
        with progress_bar() as progress:
            result = session.import_file(path, progress=progress)
        for warning in result.warnings:
            note(f"{path.name}: warning: {warning}", style="yellow")
        for obj in (*result.blocks, *result.documents):
            say(f"Imported {path.name}: {stored_line(session, obj)}")
    _tie(session)


def _tie(session: Session) -> None:
    from gnode_orm.models import Section

    section = session.query(Section).filter(name="Recording", document=_document(session)).one()
    for block in _blocks(session):
        block.metadata = section
    commit = session.commit("tie the trials to their metadata")
    if commit.counts:
        say(f"Tied the trials to the section {section.name!r} of the metadata: {commit}")


def _blocks(session: Session) -> list[Any]:
    from gnode_orm.models import Block

    return session.query(Block).order_by("name").all()


def _document(session: Session) -> Any:
    from gnode_orm.models import Document

    return session.query(Document).filter(author=_AUTHOR).first()


def _print_next(session: Session, lab: str, files: Path) -> None:
    from gnode_orm.models import AnalogSignal

    block = _blocks(session)[0]
    signal = session.query(AnalogSignal).filter(segment__block=block).first()
    assert signal is not None
    target = shlex.quote(lab)
    say("")
    say("Try next:", style="bold")
    for command in (
        f"gnode-orm ls --lab {target}",
        f"gnode-orm show {short(block.location)} --lab {target}",
        f"gnode-orm query spiketrain segment__block__name={block.name} --lab {target}",
        f"gnode-orm plot {short(signal.location)} -o signal.png --lab {target}",
        f"gnode-orm history {short(block.location)} --lab {target}",
        f"gnode-orm init another-lab && gnode-orm import {shlex.quote(str(files))}/*.nex --lab another-lab",
    ):
        say(f"  {command}")
    say("")
    say("Or in Python:", style="bold")
    for line in (
        "from gnode_orm import Session",
        f"with Session({lab!r}) as session:",
        f"    signal = session.get({short(signal.location)!r})",
        "    print(signal, signal.signal[:5])",
    ):
        say(f"  {line}")
