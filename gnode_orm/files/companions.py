"""The files that a reader opens beside the one it was given: are they files, and in the same folder?

A header that names a pipe or a device would keep its reader waiting for ever, and one that names a file elsewhere would
bring that into the lab. Sources: the BrainVision Core Data Format, and the header files of WFDB (PhysioNet).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from gnode_orm.errors import FormatError
from gnode_orm.files.path_text import path_text

_HEADER = 1 << 20
_HEADERS = (".vhdr", ".ahdr", ".hea")
_BRAINVISION = re.compile(r"^(?:DataFile|MarkerFile)\s*=\s*(.+?)\s*$", re.MULTILINE | re.IGNORECASE)
# Of these one file is the whole recording, so that a folder of very many need not be searched for each of them.
_ALONE = {"AxonIO", "AxographIO", "EDFIO", "NixIO", "NWBIO", "nixio", "pynwb", "pyabf", "AsciiSignalIO", "IgorIO"}


def check_companions(reader: str, path: Path) -> None:
    """Refuse a recording whose reader would open something else than files of its own folder.

    Raises:
        FormatError: naming what the reader would open.
    """
    if path.is_dir():
        _refuse_special(Path(root, name) for root, _, names in os.walk(path) for name in names)
    elif reader not in _ALONE:
        _refuse_special(item for item in path.parent.iterdir() if item.stem == path.stem)
        for name in _named_in(path):
            _check_named(path, name)


def named_by_headers(items: Iterable[Path]) -> dict[Path, Path]:
    """Give the files that headers among some files name, each with its header; headers stand for themselves."""
    headers = [item for item in items if item.suffix.lower() in _HEADERS and item.is_file()]
    named: dict[Path, Path] = {}
    for header in headers:
        try:
            named.update((header.parent / name, header) for name in _named_in(header))
        except OSError:  # it may not be read, which is told of the header itself
            continue
    return {path: header for path, header in named.items() if path not in headers}


def _refuse_special(items: Iterator[Path]) -> None:
    for item in items:
        # A link that leads nowhere is for the reader to miss.
        if item.exists() and not item.is_file() and not item.is_dir():
            raise FormatError(f"{path_text(item.name)} beside it is a pipe, socket or device, not a file")


def _named_in(path: Path) -> list[str]:
    """The files that a header names."""
    suffix = path.suffix.lower()
    if suffix not in _HEADERS:
        return []
    with path.open("rb") as file:
        text = file.read(_HEADER).decode("utf-8", "surrogateescape")
    if suffix != ".hea":
        return _BRAINVISION.findall(text)
    lines = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [words[0] for words in lines[1:]]


def _check_named(path: Path, name: str) -> None:
    named = path.parent / name
    if not Path(os.path.normpath(named)).is_relative_to(os.path.normpath(path.parent)):
        raise FormatError(f"its header names {path_text(name)!r}, which lies in another folder; put the files together")
    _refuse_special(iter([named]))
