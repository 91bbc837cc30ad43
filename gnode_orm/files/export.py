"""Writing of files for other programs: recordings through neo, metadata as odML.

Nothing is said to be kept that was not read back: the file is written aside, read, compared with what went into it, and
only then put in its place.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gnode_orm.core.arguments import PATHS, check
from gnode_orm.core.entity import Entity
from gnode_orm.core.progress import Progress, silent
from gnode_orm.errors import FormatError, GnodeError, StoreUnavailable, UnsupportedByStore, ValidationFailed
from gnode_orm.files.neo_writers import write_matlab, write_nix, write_nwb, write_pickle

_ODML = (".odml", ".xml", ".json", ".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class _Format:
    """A format that neo writes and reads.

    Attributes:
        reader: the class of neo.
        needs: the package that it stands on, of the extra ``files``.
    """

    reader: str
    needs: str
    write: Callable[[Any, str], None]


def export(
    model: Entity, path: str | PathLike[str], *, replace: bool = False, progress: Progress | None = None
) -> list[str]:
    """Write an object and everything below it to a file; give what the file does not hold, one line for each sort.

    The suffix decides the format. Blocks, segments, signals, spike trains, events and epochs go to ``.nix``, ``.nwb``,
    ``.mat`` or ``.pkl``, documents to ``.odml``, ``.xml``, ``.json`` or ``.yaml``; one signal, one spike train, one
    array of events or epochs also to ``.csv``.

    Raises:
        ValidationFailed: no such format, not for this object, or a file is there and ``replace`` is not given.
        UnsupportedByStore: the format needs a package that is not installed.
        FormatError: the format cannot hold the object.
        StoreUnavailable: the file cannot be written there.
    """
    check("export(obj)", model, Entity, "an object, such as a Block")
    check("export(path)", path, PATHS, "the path of a file")
    place = Path(path)
    writer = _writer(model, place)
    if place.exists() and not replace:
        raise ValidationFailed(f"{place} is there already; name another file, or give replace=True", value=str(place))
    try:
        return writer(model, place, progress or silent)
    except OSError as error:
        raise StoreUnavailable(f"{place} cannot be written: {error.strerror or error}") from error


def _writer(model: Entity, place: Path) -> Callable[[Any, Path, Progress], list[str]]:
    suffix = place.suffix.lower()
    what = type(model).__name__
    if model.kind == "document" and suffix in _ODML:
        from gnode_orm.files.odml import write_odml

        return lambda document, place, progress: write_odml(document, place)
    if model.namespace == "metadata":
        raise ValidationFailed(
            f"{place}: a {what} cannot be written there; export its whole Document as {', '.join(_ODML)}",
            value=str(place),
        )
    if suffix == ".csv":
        return _csv_writer(model, place)
    if suffix not in _FORMATS:
        raise ValidationFailed(
            f"{place}: a {what} cannot be written as {place.suffix or 'a file without suffix'}; use "
            f"{', '.join(_FORMATS)} ({', '.join(_ODML)} are for documents)",
            value=str(place),
        )
    if model.kind not in _WRAPPED:
        raise ValidationFailed(
            f"{what} cannot be exported by itself; export the Block or Segment above it", value=model
        )
    _check_installed(place, _FORMATS[suffix])
    return _write_recording


def _csv_writer(model: Entity, place: Path) -> Callable[[Any, Path, Progress], list[str]]:
    from gnode_orm.files.csv_tables import KINDS, write_csv

    if model.kind not in KINDS:
        raise ValidationFailed(
            f"{place}: a {type(model).__name__} is no table; export one signal, spike train, or array of events",
            value=str(place),
        )
    return lambda table, place, progress: write_csv(table, place)


def _check_installed(place: Path, format: _Format) -> None:
    if find_spec(format.needs) is None:
        raise UnsupportedByStore(f"{place}: writing it needs {format.needs}: pip install 'gnode-orm[files]'")


def _write_recording(model: Any, place: Path, progress: Progress) -> list[str]:
    from gnode_orm.files.comparison import losses_between

    format = _FORMATS[place.suffix.lower()]
    progress(0, 4, "reading from the lab")
    native = _as_block(model)
    with TemporaryDirectory(dir=place.parent, prefix=f".{place.name}.") as folder:
        aside = Path(folder) / place.name
        progress(1, 4, f"writing {place.name}")
        _through_neo(lambda: format.write(native, str(aside)), f"{place}: cannot be written")
        progress(2, 4, f"reading {place.name} back")
        given = _through_neo(lambda: _read(format, aside), f"{place}: not written, as neo cannot read it back")
        progress(3, 4, f"comparing {place.name} with the lab")
        found = losses_between(model, _inside(given, model), model.kind)
        os.replace(aside, place)
        progress(4, 4, "written")
    return found


def _as_block(model: Any) -> Any:
    """The neo block to write: files hold blocks, so that anything smaller gets a block and a segment around it."""
    import neo

    from gnode_orm.convert.neo import to_neo

    native = to_neo(model, filled=True)
    if model.kind == "block":
        return native
    block, segment = neo.Block(), native
    if model.kind != "segment":
        segment = neo.Segment()
        getattr(segment, _WRAPPED[model.kind][1]).append(native)
    block.segments.append(segment)
    return block


def _inside(block: Any, model: Any) -> Any:
    """The counterpart of the exported object in a block that was read; ``None`` where the file lost it."""
    found = block
    for step in _WRAPPED[model.kind][0]:
        members = getattr(found, step)
        if not members:
            return None
        found = members[0]
    return found


def _through_neo(action: Callable[[], Any], failed: str) -> Any:
    from gnode_orm.files.reader_messages import ReaderMessages, reason_of

    with ReaderMessages().listening(), _root_logger_with_handler():
        try:
            return action()
        except GnodeError as error:
            raise FormatError(f"{failed}: {error}") from error
        except (MemoryError, OSError):
            raise
        except Exception as error:  # writers and readers of neo raise anything
            raise FormatError(f"{failed}: {reason_of(error)}") from error


@contextmanager
def _root_logger_with_handler() -> Iterator[None]:
    """Keep the writer of NWB, which logs without a logger of its own, from setting up logging for the whole process."""
    handler = logging.NullHandler()
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)


def _read(format: _Format, path: Path) -> Any:
    from gnode_orm.convert.neo import from_neo
    from gnode_orm.files.readers import open_source
    from gnode_orm.models import Block

    source = open_source(format.reader, path)
    try:
        return from_neo(source.read(0), Block)
    finally:
        source.close()


_FORMATS = {
    ".nix": _Format("NixIO", "nixio", write_nix),
    ".nwb": _Format("NWBIO", "pynwb", write_nwb),
    ".mat": _Format("NeoMatlabIO", "scipy", write_matlab),
    ".pkl": _Format("PickleIO", "neo", write_pickle),
}
# Kind -> the way to it from the block that is written, and the list of neo's segment that holds it.
_WRAPPED: dict[str, tuple[tuple[str, ...], str]] = {
    "block": ((), ""),
    "segment": (("segments",), ""),
    **{
        kind: (("segments", f"{kind}s"), container)
        for kind, container in (
            ("analogsignal", "analogsignals"),
            ("analogsignalarray", "analogsignals"),
            ("irregularlysampledsignal", "irregularlysampledsignals"),
            ("spiketrain", "spiketrains"),
            ("spike", "spiketrains"),
            ("event", "events"),
            ("eventarray", "events"),
            ("epoch", "epochs"),
            ("epocharray", "epochs"),
        )
    },
}
