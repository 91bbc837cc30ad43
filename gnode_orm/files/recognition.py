"""Which readers may be able to read a path: by its content first, then by its suffix.

A suffix alone says little: `.nev` belongs to two makers, `.dat` to a dozen, some recordings have none. So a known
signature at the begin of a file decides; where there is none, neo's table of suffixes and our own give candidates.
"""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from gnode_orm.errors import FormatError, NotFound
from gnode_orm.files.hdf5_recognition import readers_of_hdf5
from gnode_orm.files.klusters import session_in
from gnode_orm.files.path_text import path_text
from gnode_orm.files.text_tables import TABLE_START, table_problem


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a reader is not tried."""

    reader: str
    reason: str


_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"ABF ", "AxonIO"),
    (b"ABF2", "AxonIO"),
    (b"ATF\t", "pyabf"),
    (b"AxGr", "AxographIO"),
    (b"axgx", "AxographIO"),
    (b"0       ", "EDFIO"),
    (b"\xffBIOSEMI", "EDFIO"),
    (b"Brain Vision Data Exchange Header File", "BrainVisionIO"),
    (b"BrainVision Data Exchange Header File", "BrainVisionIO"),
    (b"\x02\x27\x91\xc6", "IntanIO"),
    (b"\xac\x27\x91\xd6", "IntanIO"),
    (b"NEURALEV", "BlackrockIO"),
    (b"BREVENTS", "BlackrockIO"),
    (b"NEURALSG", "BlackrockIO"),
    (b"NEURALCD", "BlackrockIO"),
    (b"BRSMPGRP", "BlackrockIO"),
    (b"######## Neuralynx", "NeuralynxIO"),
    (b"BCI2000V", "BCI2000IO"),
    (b"HeaderLen=", "BCI2000IO"),
    (b"MC_DataTool", "RawMCSIO"),
    (b"PLEX", "PlexonIO"),
    (b"DAT1\0", "StimfitIO"),
    (b"DAT2\0", "StimfitIO"),
    (b"\x0cDAC2 objects", "ElphyIO"),
)
_HDF5 = b"\x89HDF\r\n\x1a\n"
_OWN_SUFFIXES = {
    ".bdf": ("EDFIO",),
    ".edf": ("EDFIO",),
    ".hea": ("wfdb",),
    ".atf": ("pyabf",),
    ".ncs": ("NeuralynxIO", "ncs"),
    ".smr": ("Spike2IO", "CedIO"),
    ".cfs": ("StimfitIO",),
}
_ELPHY = "neo reads files of Elphy of the kind 'DAC2 objects' alone; save it anew with a version that writes them"
_UNREADABLE = ((b"\x0cDAC2/GS/2000", Refusal("ElphyIO", _ELPHY)), (b"\x0fACQUIS1/GS/1991", Refusal("ElphyIO", _ELPHY)))
# Of what neo refuses, our own reader takes a part.
_FALLBACKS = {".ncs": ("ncs",)}
_NEURALYNX = {".ncs", ".nse", ".ntt", ".nev", ".nrd"}

# They run code (pickle), invent data (example), take any bytes or text as samples, or read what others read without the
# package that they need: only when asked for by name.
_BY_NAME_ONLY = {
    *("PickleIO", "ExampleIO", "RawBinarySignalIO", "AsciiSpikeTrainIO", "AsciiSignalIO", "NestIO"),
    *("KwikIO", "MEArecIO", "StimfitIO"),
}
# An HDF5 file of theirs is told by its layout.
_BY_LAYOUT = {"BiocamIO", "MaxwellIO", "NixIO", "NWBIO"}
_IMAGES = {".tif", ".tiff"}
_TEXT_TABLES = {".txt", ".csv", ".tsv", ".asc"}
_OF_IMAGES = (
    "a sequence of images says neither unit, rate nor scale; name them: reader='{}', reader_options={{'units': 'V', "
    "'sampling_rate': 10 * pq.Hz, 'spatial_scale': 5 * pq.um}}"
)
_POINTERS = ((b"version https://git-lfs.github.com/spec/", "Git LFS"), (b"/annex/objects/", "git-annex"))
_HEADERS = {".eeg": ".vhdr", ".vmrk": ".vhdr", ".dat": ".hea", ".atr": ".hea"}
_POINTER_LENGTH = 1024
# No recording made of a folder is nested deeper, and each folder of a tree is asked whether it is one.
_LEVELS = 12
_SPECIAL = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def check_readable(path: Path) -> None:
    """Refuse what is no recording at all.

    Raises:
        NotFound: there is nothing at the path.
        FormatError: an empty file or folder, one that may not be read, a pointer to a file that was not fetched, or
            something that is neither file nor folder, and might never end.
    """
    shown = path_text(path)
    mode = _mode(path)
    if mode is None:
        raise NotFound(f"{shown}: no such file or folder")
    if stat.S_ISDIR(mode):
        if not folder_items(path):
            raise FormatError(f"{shown}: the folder is empty")
        return
    if not stat.S_ISREG(mode):
        raise FormatError(f"{shown}: {_SPECIAL.get(stat.S_IFMT(mode), 'no file')}, not a recording")
    start = first_bytes(path, _POINTER_LENGTH)
    if not start:
        raise FormatError(f"{shown}: the file is empty")
    for mark, system in _POINTERS:
        if path.stat().st_size < _POINTER_LENGTH and mark in start[:200]:
            raise FormatError(f"{shown}: a {system} pointer, not the recording itself; fetch the content first")


def candidates(path: Path) -> tuple[list[str], list[Refusal]]:
    """Name the readers to try, best first, and those that are left out with the reason."""
    return _of_folder(path) if path.is_dir() else _of_file(path)


def first_bytes(path: Path, count: int) -> bytes:
    """Read the begin of a file.

    Raises:
        FormatError: the file cannot be opened.
    """
    try:
        with path.open("rb") as file:
            return file.read(count)
    except OSError as error:
        raise FormatError(f"{path_text(path)}: cannot be opened: {error.strerror}") from error


def files_below(folder: Path, levels: int | None = None) -> list[Path]:
    """Give the files in a folder and in the folders of it, ``levels`` deep, sorted; no links to folders are followed.

    Raises:
        FormatError: the folder, or one in it, may not be read.
    """
    found, waiting = [], [(folder, 1)]
    while waiting:
        here, level = waiting.pop()
        for item in folder_items(here):
            if item.is_file():
                found.append(item)
            elif item.is_dir() and not item.is_symlink() and level != levels:
                waiting.append((item, level + 1))
    return sorted(found)


def folder_items(path: Path) -> list[Path]:
    """Give what is in a folder, sorted by name.

    Raises:
        FormatError: the folder may not be read.
    """
    try:
        return sorted(path.iterdir())
    except OSError as error:
        raise FormatError(f"{path_text(path)}: the folder cannot be read: {error.strerror}") from error


def readers_by_name() -> dict[str, type]:
    """Every reader of neo under its class name."""
    from neo import io

    # neo has two readers called NixIO; the first one reads everything that the other does.
    return {reader.__name__: reader for reader in reversed(io.iolist)} | {"NixIO": io.NixIO}


def is_folder_reader(reader: type) -> bool:
    """Say whether a reader of neo wants a folder rather than a file."""
    return str(getattr(reader, "rawmode", None) or getattr(reader, "mode", "")) in {"one-dir", "multi-dir", "dir"}


def _of_file(path: Path) -> tuple[list[str], list[Refusal]]:
    start = first_bytes(path, 64)
    if start.startswith(_HDF5):
        return _of_hdf5(path)
    suffix = path.suffix.lower()
    for signature, reader in _SIGNATURES:
        if start.startswith(signature):
            return [reader, *_FALLBACKS.get(suffix, ())], []
    for signature, refusal in _UNREADABLE:
        if start.startswith(signature):
            return [], [refusal]
    header = path.with_suffix(_HEADERS[suffix]) if suffix in _HEADERS else None
    if header is not None and header.exists():
        return [], [Refusal("neo", f"belongs to {header.name}; import that")]
    if suffix in _OWN_SUFFIXES:
        return list(_OWN_SUFFIXES[suffix]), []
    return _of_suffix(path, suffix)


def _of_suffix(path: Path, suffix: str) -> tuple[list[str], list[Refusal]]:
    names, refusals = [], []
    for reader in _known_to_neo(suffix):
        if reader.__name__ in _BY_NAME_ONLY:
            continue
        if is_folder_reader(reader) and reader.__name__ != "TdtIO":
            refusals.append(Refusal(reader.__name__, "reads folders; import the folder of this file"))
        else:
            names.append(reader.__name__)
    if suffix == ".blk":
        refusals.append(Refusal("BlkIO", _OF_IMAGES.format("BlkIO")))
    if suffix in {".pkl", ".pickle"}:
        refusals.append(Refusal("PickleIO", "a pickle runs code when it is read; ask for it with reader='PickleIO'"))
    if suffix in _TEXT_TABLES:
        problem = table_problem(first_bytes(path, TABLE_START))
        if problem is None:
            names.append("AsciiSignalIO")
        else:
            refusals.append(Refusal("AsciiSignalIO", problem))
    return names, refusals


def _of_hdf5(path: Path) -> tuple[list[str], list[Refusal]]:
    try:
        names, problem = readers_of_hdf5(path)
    except ImportError:
        return _of_suffix(path, path.suffix.lower())
    if problem is not None:
        return [], [Refusal("h5py", problem)]
    if names:
        return names, []
    names, refusals = _of_suffix(path, path.suffix.lower())
    return [name for name in names if name not in _BY_LAYOUT], refusals


def _of_folder(path: Path) -> tuple[list[str], list[Refusal]]:
    inside = files_below(path, _LEVELS)
    if any(file.name == "structure.oebin" for file in inside):
        return ["OpenEphysBinaryIO"], []
    if any(_is_neuralynx(file) for file in folder_items(path)):
        return ["NeuralynxIO"], [Refusal("ncs", "reads files; import those of the folder one by one")]
    if session_in(path) is not None:
        return ["KlustaKwikIO"], []
    suffixes = dict.fromkeys(file.suffix.lower() for file in inside)
    readers = {reader.__name__: reader for suffix in suffixes for reader in _known_to_neo(suffix)}
    names = [name for name, reader in readers.items() if is_folder_reader(reader) and name not in _BY_NAME_ONLY]
    if inside and suffixes.keys() <= _IMAGES:
        return [], [Refusal("TiffIO", _OF_IMAGES.format("TiffIO"))]
    shown = ", ".join(path_text(file.name) for file in inside[:3]) + (", ..." if len(inside) > 3 else "")
    return names, [Refusal("neo", f"knows no recording made of such a folder; import its files one by one ({shown})")]


def _is_neuralynx(file: Path) -> bool:
    if file.suffix.lower() not in _NEURALYNX or not file.is_file():
        return False
    return file.suffix.lower() != ".nev" or first_bytes(file, 18) == b"######## Neuralynx"


def _known_to_neo(suffix: str) -> list[type]:
    from neo.io import io_by_extension

    known: dict[type, None] = dict.fromkeys(io_by_extension.get(suffix[1:], ())) if suffix else {}
    ours = readers_by_name().values()
    return [reader for reader in known if reader in ours]


def _mode(path: Path) -> int | None:
    """What there is at a path, behind links; ``None`` for nothing."""
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        if path.is_symlink():
            _refuse_link(path, "which does not exist")
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            _refuse_link(path, "and so on in a ring")
        raise FormatError(f"{path_text(path)}: cannot be opened: {error.strerror}") from error
    except ValueError:  # a NUL in the name
        return None


def _refuse_link(path: Path, why: str) -> NoReturn:
    target = os.readlink(path)
    if "annex/objects" in target:
        raise FormatError(f"{path_text(path)}: a git-annex link whose content is not here; fetch the content first")
    raise NotFound(f"{path_text(path)}: a link to {path_text(target)}, {why}")
