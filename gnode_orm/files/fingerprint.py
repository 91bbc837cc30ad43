"""The content of a recording as one hash, by which an import knows a file again under another name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from gnode_orm.errors import FormatError

# Recordings of several files: what stands beside the file that is imported, under the same name.
_BESIDE: dict[str, tuple[str, ...]] = {
    ".vhdr": (".eeg", ".dat", ".avg", ".seg", ".vmrk"),
    ".hea": (".dat", ".atr", ".qrs", ".ann", ".ari", ".ecg"),
    **{suffix: (".nev", *(f".ns{n}" for n in range(1, 7))) for suffix in (".nev", *(f".ns{n}" for n in range(1, 7)))},
}


def fingerprint(path: Path) -> str:
    """Give the SHA-256 of a file, of the files that belong to it, or of everything in a folder.

    The name of a file does not count, those inside a folder do.

    Raises:
        FormatError: a file cannot be read.
    """
    try:
        if path.is_dir():
            return _together((file.relative_to(path).as_posix(), file) for file in _inside(path))
        beside = [other for other in _companions(path) if other.is_file()]
        if not beside:
            return _of_file(path)
        return _together((file.suffix.lower(), file) for file in (path, *beside))
    except OSError as error:
        raise FormatError(f"{path}: cannot be read: {error.strerror or error}") from error


def _inside(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file())


def _companions(path: Path) -> Iterator[Path]:
    suffix = path.suffix.lower()
    for other in _BESIDE.get(suffix, ()):
        if other != suffix:
            yield path.with_suffix(other.upper() if path.suffix.isupper() else other)


def _together(files: Iterator[tuple[str, Path]]) -> str:
    digest = hashlib.sha256()
    for name, file in files:
        digest.update(f"{name}\0{_of_file(file)}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
