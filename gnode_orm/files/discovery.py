"""The recordings and odML files in folders."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gnode_orm.core.arguments import PATHS, check
from gnode_orm.errors import FormatError, NotFound
from gnode_orm.files.companions import named_by_headers
from gnode_orm.files.odml import is_odml
from gnode_orm.files.path_text import path_text
from gnode_orm.files.recognition import candidates, check_readable, folder_items
from gnode_orm.files.recordings import open_recording


@dataclass(frozen=True, slots=True)
class Discovered:
    """A path to import; ``reason`` says why a file or folder in a folder is none."""

    path: Path
    reason: str | None = None


def discover(paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> Iterator[Discovered]:
    """Give each path, and in place of a folder that is no recording by itself what is in it, sorted by name.

    Links to files are followed, links to folders only inside the folder that was given. A folder with nothing in it
    stays, for the import to say so.
    """
    each = [paths] if isinstance(paths, str | os.PathLike) else paths
    check("plan_import(paths)", each, Iterable, "a path or a list of paths")
    for given in each:
        check("plan_import(paths)", given, PATHS, "paths of files or folders")
        path = Path(given)
        if _is_folder(path) and not _is_empty(path) and not _is_recording(path):
            yield from _inside(path)
        else:
            yield Discovered(path)


def _inside(start: Path) -> Iterator[Discovered]:
    """Look into folders, however deep; one that links lead to again is looked into once."""
    top = start.resolve()
    seen = {_identity(start)}
    waiting = _items(start)
    while waiting:
        item = waiting.pop()
        if isinstance(item, Discovered):
            yield item
        elif not _is_folder(item):
            yield Discovered(item, _why_not(item))
        elif item.is_symlink() and not item.resolve().is_relative_to(top):
            there = path_text(item.resolve())
            yield Discovered(item, f"a link to a folder elsewhere; import {there} by itself")
        elif _identity(item) not in seen:
            seen.add(_identity(item))
            if _is_recording(item):
                yield Discovered(item)
            else:
                waiting += _items(item)


def _items(folder: Path) -> list[Path | Discovered]:
    """What is in a folder and not hidden, last first."""
    try:
        items = [item for item in reversed(folder_items(folder)) if not item.name.startswith(".")]
    except FormatError as error:
        return [Discovered(folder, _reason(error, folder))]
    named = named_by_headers(items)
    return [
        Discovered(item, f"part of {path_text(named[item].name)}") if item in named else item for item in items
    ]  # fmt: skip


def _reason(error: Exception, path: Path) -> str:
    return str(error).removeprefix(f"{path_text(path)}: ")


def _identity(folder: Path) -> tuple[int, int]:
    """The same for a folder however it is reached."""
    state = folder.stat()
    return state.st_dev, state.st_ino


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a path that is too long; it is told as of a file
        return False


def _is_empty(folder: Path) -> bool:
    try:
        return not any(folder.iterdir())
    except OSError:  # it may not be looked into, which is told where it is
        return False


def _why_not(file: Path) -> str | None:
    """Why a file is not for an import; what a reader should know, but is broken, is for it."""
    try:
        check_readable(file)
        if is_odml(file):
            return None
        names, refusals = candidates(file)
    except NotFound as error:
        return _reason(error, file)
    except FormatError as error:
        return None if file.is_file() else _reason(error, file)
    refused = {refusal.reader for refusal in refusals}
    if names and "AsciiSignalIO" not in refused:
        return None
    return "; ".join(refusal.reason for refusal in refusals) or "no reader knows this kind of file"


def _is_recording(folder: Path) -> bool:
    """Whether a folder is one recording: a reader of folders says so, and can open it."""
    try:
        if not candidates(folder)[0]:
            return False
        open_recording(folder, raw=True).close()
    except FormatError:
        return False
    return True
