"""Recordings: one call for every format, one neo block at a time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import Any

from gnode_orm.core.arguments import check
from gnode_orm.errors import FormatError, ValidationFailed, did_you_mean
from gnode_orm.files.assumptions import assumptions, localise, zone_named
from gnode_orm.files.path_text import path_text
from gnode_orm.files.privacy import leave_out_persons, write_origins
from gnode_orm.files.reader_messages import ReaderMessages, one_line, reason_of
from gnode_orm.files.readers import Source, open_source, reader_names
from gnode_orm.files.recognition import candidates, check_readable


@dataclass(frozen=True, slots=True)
class Failure:
    """A block of a recording that could not be read."""

    number: int
    reason: str

    def __str__(self) -> str:
        return f"block[{self.number}]: {self.reason}"


class Recording:
    """An open recording. Use as a context manager; iterate ``blocks()`` once.

    Attributes:
        path: the file or folder.
        reader_name: the reader that took it, for instance ``"AxonIO"``.
        block_count: how many blocks it has.
    """

    def __init__(self, path: Path, source: Source, messages: ReaderMessages, first: Any, options: _Options) -> None:
        self.path = path
        self.reader_name = source.name
        self.block_count = source.block_count
        self._source = source
        self._messages = messages
        self._first = first
        self._options = options
        self._assumed: list[str] = []

    @property
    def warnings(self) -> list[str]:
        """What the reader reported and what was assumed, as far as blocks have been read."""
        return [*self._messages.sentences(), *dict.fromkeys(self._assumed)]

    def blocks(self) -> Iterator[tuple[int, Any]]:
        """Give number and neo block, or number and ``Failure``, one by one; a block is read when it is asked for."""
        for number in range(self.block_count):
            native = self._first if number == 0 else _read(self._source, number, self._messages)
            self._first = None
            if not isinstance(native, Failure):
                self._prepare(native)
            yield number, native

    def close(self) -> None:
        """Close the files."""
        self._first = None
        with ReaderMessages().listening():
            self._source.close()

    def __enter__(self) -> Recording:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _prepare(self, native: Any) -> None:
        write_origins(native, folders=self._options.keep_paths)
        if not self._options.keep_personal:
            self._assumed += leave_out_persons(native)
        if self._options.timezone is not None:
            localise(native, self._options.timezone)
        self._assumed += assumptions(native, self.reader_name, self._options.reader)


@dataclass(frozen=True, slots=True)
class _Options:
    timezone: dt.tzinfo | None
    keep_personal: bool
    keep_paths: bool
    reader: Mapping[str, Any]


def open_recording(
    path: str | Path,
    *,
    reader: str | None = None,
    timezone: str | dt.tzinfo | None = None,
    reader_options: Mapping[str, Any] | None = None,
    keep_personal: bool = False,
    keep_paths: bool = False,
    raw: bool = False,
) -> Recording:
    """Open a recording, file or folder, with the first reader that can read it.

    Args:
        path: file or folder.
        reader: name of one reader to use, such as ``"AxonIO"`` or ``"wfdb"``, instead of those that fit the content.
        timezone: where the recording was made, such as ``"Europe/Berlin"``; for times that come without a zone.
        reader_options: arguments for the reader that is named, such as ``{"gap_tolerance_ms": 0.5}``.
        keep_personal: keep name, birth date and the like of a person, where the file holds them.
        keep_paths: keep the folders in ``file_origin``, not the name of the file alone.
        raw: leave the samples in the file until they are asked for, as its integers with gain and offset, where the
            reader can do that.

    Raises:
        NotFound: there is nothing at the path.
        FormatError: no reader can read it; one line with the reason of each.
        ValidationFailed: an unknown reader or time zone, or options for no reader.
    """
    path = Path(path)
    check("open_recording(reader_options)", reader_options, (Mapping, NoneType), "a dict of names and values")
    options = _Options(zone_named(timezone), keep_personal, keep_paths, reader_options or {})
    if options.reader and reader is None:
        raise ValidationFailed(
            f"Options {sorted(options.reader)} are for one reader; name it with reader=", field="reader_options"
        )
    names, reasons = _to_try(path, reader)
    for name in names:
        messages = ReaderMessages()
        attempt = _attempt(name, path, messages, raw, options.reader)
        if isinstance(attempt, str):
            reasons.append(f"{name}: {attempt}")
            continue
        source, first = attempt
        return Recording(path, source, messages, first, options)
    raise FormatError(f"{path_text(path)}: {'; '.join(reasons) or 'no reader knows this kind of file'}")


def check_reader(name: str) -> None:
    """Refuse the name of a reader that there is not.

    Raises:
        ValidationFailed: the message says what was meant.
    """
    known = reader_names()
    if name not in known:
        hint = did_you_mean(name, known) or f"; known are {', '.join(sorted(known))}"
        raise ValidationFailed(f"No reader is called {name!r}{hint}", field="reader", value=name)


def _to_try(path: Path, reader: str | None) -> tuple[list[str], list[str]]:
    check_readable(path)
    if reader is None:
        names, refusals = candidates(path)
        return names, [f"{refusal.reader}: {refusal.reason}" for refusal in refusals]
    check_reader(reader)
    return [reader], []


def _attempt(
    name: str, path: Path, messages: ReaderMessages, raw: bool, options: Mapping[str, Any]
) -> tuple[Source, Any] | str:
    """Open the path and read its first block, or say why that failed."""
    with messages.listening():
        try:
            source = open_source(name, path, raw=raw, options=options)
        except Exception as error:  # readers of foreign formats raise anything
            return reason_of(error)
    first = _read(source, 0, messages) if source.block_count else Failure(0, "holds no block")
    if isinstance(first, Failure) and source.block_count < 2:
        with messages.listening():
            source.close()
        return one_line(first.reason)
    return source, first


def _read(source: Source, number: int, messages: ReaderMessages) -> Any:
    with messages.listening():
        try:
            return source.read(number)
        except Exception as error:
            return Failure(number, reason_of(error))
