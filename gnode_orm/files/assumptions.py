"""What a recording does not say, and what was assumed instead."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from gnode_orm.errors import ValidationFailed
from gnode_orm.files.neo_objects import data_objects, unit_text

_DOUBTFUL = (("C", "coulomb", "degree Celsius"), ("u", "atomic mass unit", "uV"))


def zone_named(timezone: str | dt.tzinfo | None) -> dt.tzinfo | None:
    """Find a time zone by its name.

    Raises:
        ValidationFailed: there is none of this name.
    """
    if timezone is None or isinstance(timezone, dt.tzinfo):
        return timezone
    try:
        return ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValidationFailed(
            f"Unknown time zone {timezone!r}; write for instance 'Europe/Berlin'", field="timezone", value=timezone
        ) from None


def localise(block: Any, zone: dt.tzinfo) -> None:
    """Give recording times without a zone this one; they were written by a clock on the wall."""
    for item in (block, *block.segments):
        if isinstance(item.rec_datetime, dt.datetime) and item.rec_datetime.tzinfo is None:
            item.rec_datetime = item.rec_datetime.replace(tzinfo=zone)


# Reader -> what it takes where the file says nothing, and the option that says it otherwise.
_TAKEN = {
    "AsciiSpikeTrainIO": ("a text of spike times does not say its unit: seconds were assumed", "unit"),
    "BrainwareDamIO": ("the file says neither rate nor unit: 1 Hz and mV were assumed", ""),
    "KlustaKwikIO": ("the files say no sampling rate: 30000 Hz was assumed", "sampling_rate"),
    "RawBinarySignalIO": ("raw samples do not say their rate: 10000 Hz was assumed", "sampling_rate"),
}
_TEXT_TABLE = {"units": ("unit", "V"), "sampling_rate": ("rate", "1 Hz")}


def assumptions(block: Any, reader: str, options: Mapping[str, Any]) -> list[str]:
    """Say what was assumed about a block, beside what the options for its reader say."""
    found = []
    if not any(True for segment in block.segments for _ in data_objects(segment)):
        found.append("read, but it holds no signals, spike trains, events or epochs")
    if reader == "AsciiSignalIO":
        missing = [words for option, words in _TEXT_TABLE.items() if option not in options]
        if missing:
            what, values = (" and ".join(words) for words in zip(*missing, strict=True))
            verb = "were" if len(missing) > 1 else "was"
            found.append(f"a text table does not say its {what}: {values} {verb} assumed; reader_options= gives it")
    said, option = _TAKEN.get(reader, ("", ""))
    if said and option not in options:
        found.append(f"{said}; reader_options= gives it" if option else said)
    found += _doubtful_units(block)
    naive = block.rec_datetime
    if isinstance(naive, dt.datetime) and naive.tzinfo is None:
        found.append(f"the recording time {naive} has no time zone: kept without one; timezone= gives it one")
    return found + _repeated_events(block)


def _doubtful_units(block: Any) -> list[str]:
    """Find units whose letter another quantity also has: degrees Celsius, and the empty unit of BrainVision."""
    used = {unit_text(signal) for segment in block.segments for signal in segment.analogsignals}
    return [
        f"unit {unit!r} was read as {name}; relabel the signal if {other} was meant"
        for unit, name, other in _DOUBTFUL
        if unit in used
    ]


def _repeated_events(block: Any) -> list[str]:
    """Find events that a reader repeats in every segment, as tags of ABF files are."""
    if len(block.segments) < 2:
        return []
    first, *others = ([_key(event) for event in segment.events if len(event)] for segment in block.segments)
    if not first or any(first != other for other in others):
        return []
    count = sum(size for size, *_ in first)
    what = "one event stands" if count == 1 else f"{count} events stand"
    return [f"the same {what} in each of the {len(block.segments)} segments, as the reader gives them"]


def _key(event: Any) -> tuple[int, bytes, bytes]:
    return len(event), np.asarray(event.magnitude).tobytes(), np.asarray(event.labels).tobytes()
