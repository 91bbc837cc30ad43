"""The recordings and odML files in folders."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gnode_orm.errors import FormatError
from gnode_orm.files.odml import is_odml
from gnode_orm.files.recognition import candidates, check_readable
from gnode_orm.files.recordings import open_recording


@dataclass(frozen=True, slots=True)
class Discovered:
    """A path to import; ``reason`` says why a file in a folder is none."""

    path: Path
    reason: str | None = None


def discover(paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> Iterator[Discovered]:
    """Give each path, and in place of a folder that is no recording by itself what is in it, sorted by name."""
    each = [paths] if isinstance(paths, str | os.PathLike) else paths
    for path in map(Path, each):
        if path.is_dir() and not _is_recording(path):
            yield from _inside(path, {path.resolve()})
        else:
            yield Discovered(path)


def _inside(folder: Path, seen: set[Path]) -> Iterator[Discovered]:
    """Look into a folder; one that links lead to again is looked into once."""
    for item in sorted(folder.iterdir()):
        if item.name.startswith("."):
            continue
        if not item.is_dir():
            yield Discovered(item, _why_not(item))
        elif item.resolve() in seen:
            continue
        else:
            seen.add(item.resolve())
            yield from [Discovered(item)] if _is_recording(item) else _inside(item, seen)


def _why_not(file: Path) -> str | None:
    """Why a file is not for an import; what a reader should know, but is broken, is for it."""
    try:
        check_readable(file)
        if is_odml(file):
            return None
        names, refusals = candidates(file)
    except FormatError:
        return None
    refused = {refusal.reader for refusal in refusals}
    if names and "AsciiSignalIO" not in refused:
        return None
    return "; ".join(refusal.reason for refusal in refusals) or "no reader knows this kind of file"


def _is_recording(folder: Path) -> bool:
    """Whether a folder is one recording: a reader of folders says so, and can open it."""
    if not any(folder.iterdir()) or not candidates(folder)[0]:
        return False
    try:
        open_recording(folder, raw=True).close()
    except FormatError:
        return False
    return True
