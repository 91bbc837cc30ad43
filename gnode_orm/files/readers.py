"""The readers behind one face: those of neo, and ours on other packages for what neo does not read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from gnode_orm.errors import ValidationFailed
from gnode_orm.files.as_written import as_written
from gnode_orm.files.brainware import rows_as_lists
from gnode_orm.files.companions import check_companions
from gnode_orm.files.construction import construct
from gnode_orm.files.header_checks import check_header
from gnode_orm.files.nwb_census import take_stock
from gnode_orm.files.open_ephys import experiments_of, reader_of_experiment
from gnode_orm.files.raw_blocks import is_read_as_raw, read_raw_block
from gnode_orm.files.recognition import readers_by_name
from gnode_orm.files.requirements import check_requirements


class Source(Protocol):
    """An open file or folder of recordings."""

    name: str
    block_count: int

    def read(self, number: int) -> Any:
        """Read one neo block."""
        ...

    def close(self) -> None:
        """Close the files."""
        ...


_NO_OPTIONS: Mapping[str, Any] = {}


def open_source(name: str, path: Path, *, raw: bool = False, options: Mapping[str, Any] = _NO_OPTIONS) -> Source:
    """Open a path with the reader of this name; whatever the reader raises passes through.

    With ``raw``, signals stay in the file, as the integers that it holds, where the reader can do that. ``options``
    are arguments of the reader.
    """
    check_requirements(name, options)
    check_companions(name, path)
    check_header(name, path)
    if options and (name == "nixio" or name in _OWN):
        raise ValidationFailed(f"The reader {name} takes no options", field="reader_options", value=dict(options))
    if name == "nixio":
        return _nixio(path)
    if name in _OWN:
        return OwnSource(name, path, _OWN[name], raw)
    if name == "OpenEphysBinaryIO" and not options and len(experiments_of(path)) > 1:
        return ExperimentsSource(path, raw)
    reader, others = construct(readers_by_name()[name], path, options)
    return RawSource(name, reader, raw) if is_read_as_raw(reader) else WholeSource(name, reader, others)


def reader_names() -> list[str]:
    """Names that ``reader=`` takes."""
    return [*readers_by_name(), *_OWN, "nixio"]


class RawSource:
    """A raw reader of neo, whose blocks are found by number."""

    def __init__(self, name: str, reader: Any, raw: bool) -> None:
        self.name = name
        self.block_count = int(reader.block_count())
        self._reader: Any = reader
        self._raw = raw

    def read(self, number: int) -> Any:
        """Read one block."""
        return read_raw_block(self._reader, number, raw=self._raw)

    def close(self) -> None:
        """Close the reader, or leave its files to the garbage collector where it cannot be closed."""
        _close(self._reader)
        self._reader = None


class ExperimentsSource:
    """The experiments in a folder of Open Ephys, one block each."""

    name = "OpenEphysBinaryIO"

    def __init__(self, folder: Path, raw: bool) -> None:
        self._folder = folder
        self._raw = raw
        self._experiments = experiments_of(folder)
        self.block_count = len(self._experiments)

    def read(self, number: int) -> Any:
        """Read one experiment."""
        experiment = self._experiments[number]
        source = RawSource(self.name, reader_of_experiment(self._folder, experiment), self._raw)
        block = source.read(0)
        block.annotate(experiment=experiment)
        return block

    def close(self) -> None:
        """Nothing stays open but what blocks that were read lazily hold."""


class WholeSource:
    """A reader of neo that gives all blocks at once, or NIX, whose blocks are read one by one."""

    def __init__(self, name: str, reader: Any, options: Mapping[str, Any]) -> None:
        self.name = name
        self._reader: Any = reader
        self._numbered = name == "NixIO"
        try:
            with rows_as_lists():
                self._blocks: list[Any] = [] if self._numbered else list(reader.read(**options))
            if name == "NWBIO":
                take_stock(reader._file)
        except BaseException:
            _close(reader)
            raise
        self.block_count = len(reader.nix_file.blocks) if self._numbered else len(self._blocks)

    def read(self, number: int) -> Any:
        """Read one block; each can be asked for once."""
        if self._numbered:
            return as_written(self.name, self._reader.read_block(index=number))
        block, self._blocks[number] = self._blocks[number], None
        return as_written(self.name, block)

    def close(self) -> None:
        """Close the reader."""
        _close(self._reader)
        self._blocks = []


class OwnSource:
    """A file that another package reads, as one neo block."""

    def __init__(self, name: str, path: Path, read: Callable[[Path, bool], Any], raw: bool) -> None:
        self.name = name
        self.block_count = 1
        self._path = path
        self._read = read
        self._raw = raw

    def read(self, number: int) -> Any:
        """Read the block."""
        return self._read(self._path, self._raw)

    def close(self) -> None:
        """Nothing stays open."""


def _close(reader: Any) -> None:
    from neo.rawio.baserawio import BaseRawWithBufferApiIO

    # The NWB reader has no close(), and keeps the file that it opened here.
    for item in (reader, getattr(reader, "_io_nwb", None)):
        close = getattr(item, "close", None)
        if close is not None:
            close()
    # What reads parts of a file keeps it open, and closes it where it is deleted: later, where something refers to it.
    if isinstance(reader, BaseRawWithBufferApiIO):
        reader.__del__()


def _wfdb(path: Path, raw: bool) -> Any:
    from gnode_orm.files.wfdb_reader import read_wfdb

    return read_wfdb(path)


def _atf(path: Path, raw: bool) -> Any:
    from gnode_orm.files.atf_reader import read_atf

    return read_atf(path)


def _nwb(path: Path, raw: bool) -> Any:
    from gnode_orm.files.nwb_reader import read_nwb

    return read_nwb(path, raw=raw)


def _kwik(path: Path, raw: bool) -> Any:
    from gnode_orm.files.kwik_reader import read_kwik

    return read_kwik(path)


def _mearec(path: Path, raw: bool) -> Any:
    from gnode_orm.files.mearec_reader import read_mearec

    return read_mearec(path, raw=raw)


def _ncs(path: Path, raw: bool) -> Any:
    from gnode_orm.files.ncs_reader import read_ncs

    return read_ncs(path, raw=raw)


def _nixio(path: Path) -> Source:
    from gnode_orm.files.nix_reader import NixFile

    return NixFile(path)


_OWN: dict[str, Callable[[Path, bool], Any]] = {
    "wfdb": _wfdb,
    "pyabf": _atf,
    "pynwb": _nwb,
    "ncs": _ncs,
    "kwik": _kwik,
    "mearec": _mearec,
}
