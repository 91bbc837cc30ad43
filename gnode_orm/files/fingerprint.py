"""The content of a recording as one hash, by which an import knows a file again under another name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from gnode_orm.errors import FormatError
from gnode_orm.files.path_text import path_text
from gnode_orm.files.recognition import files_below

_NUMBERED = tuple(f".{number}" for number in range(1, 33))
# Recordings of several files under one name, header first. Whichever of them is imported, it is the same recording.
_FAMILIES: tuple[tuple[str, ...], ...] = (
    (".vhdr", ".eeg", ".dat", ".avg", ".seg", ".vmrk"),
    (".hea", ".dat", ".atr", ".qrs", ".ann", ".ari", ".ecg"),
    (".nev", *(f".ns{number}" for number in range(1, 7))),
    (".set", ".bin", *_NUMBERED),
    (".kwik", ".kwx"),
)
# Of NeuroScope, one file of parameters may belong to several recordings; it stands for the first that is there.
_NEUROSCOPE = (".dat", ".lfp", ".eeg")


def fingerprint(path: Path) -> str:
    """Give the SHA-256 of a file, of the files that belong to it, or of everything in a folder.

    The name of a file does not count, those inside a folder do.

    Raises:
        FormatError: a file cannot be read.
    """
    try:
        if path.is_dir():
            return _together((file.relative_to(path).as_posix(), file) for file in files_below(path))
        files = _family(path)
        return _of_file(path) if files == [path] else _together((file.suffix.lower(), file) for file in files)
    except OSError as error:
        raise FormatError(f"{path_text(path)}: cannot be read: {error.strerror or error}") from error


def _family(path: Path) -> list[Path]:
    """The files of a recording in an order that does not depend on the one that is imported."""
    suffix = path.suffix.lower()
    if suffix in (".xml", *_NEUROSCOPE) and _beside(path, ".xml").is_file():
        data = [_beside(path, other) for other in ((suffix,) if suffix != ".xml" else _NEUROSCOPE)]
        return [_beside(path, ".xml"), *[file for file in data if file.is_file()][:1]]
    if path.name.lower().endswith(".xdat.json"):
        stem = path.name[: -len(".xdat.json")]
        return [path, *_present(path.with_name(f"{stem}{end}") for end in ("_data.xdat", "_timestamp.xdat"))]
    for family in _FAMILIES:
        # A name with .dat, .eeg or .1 says nothing without the header.
        if suffix in family and (suffix.startswith(".ns") or _beside(path, family[0]).is_file()):
            return _present(_beside(path, other) for other in family)
    return [path, *_present(path.with_name(path.name + end) for end in (".ent", ".pos"))]


def _present(files: Iterable[Path]) -> list[Path]:
    return [file for file in files if file.is_file()]


def _beside(path: Path, suffix: str) -> Path:
    """The file of the same name with another suffix, in capitals where the one at hand has them."""
    if path.suffix.lower() == suffix:
        return path
    return path.with_suffix(suffix.upper() if path.suffix.isupper() else suffix)


def _together(files: Iterator[tuple[str, Path]]) -> str:
    digest = hashlib.sha256()
    for name, file in files:
        digest.update(f"{name}\0{_of_file(file)}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
