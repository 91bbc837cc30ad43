"""Blocks of recordings as neo reads them, made from its raw readers directly.

``neo.io.basefromrawio.BaseFromRaw`` makes every reader of ``neo.rawio`` one of ``neo.io`` in the same way. This is that
way, but for signals: instead of arrays with units, which take most of the time, they are what conversion needs of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import neo
from neo.io.basefromrawio import BaseFromRaw
from neo.io.proxyobjects import EpochProxy, EventProxy, SpikeTrainProxy, check_annotations

from gnode_orm.convert.neo.proxies import loaded
from gnode_orm.convert.neo.raw_signals import RawSignal, RawStream

# Bytes of scaled samples that are read at once. More are read twice, to be judged and to be stored, but piece by piece:
# that is also faster, since the same memory is used again.
AT_ONCE = 32 << 20
_OF_NEO = ("read_block", "read_segment", "get_sub_signal_streams")


def is_read_as_raw(reader: Any) -> bool:
    """Whether neo makes blocks of a raw reader in the way of all of them."""
    cls = type(reader)
    return isinstance(reader, BaseFromRaw) and all(getattr(cls, name) is getattr(BaseFromRaw, name) for name in _OF_NEO)


def read_raw_block(reader: Any, number: int, *, raw: bool) -> Any:
    """Read one block; with ``raw``, or where it is large, samples stay in the file until they are asked for."""
    told = reader.raw_annotations["blocks"][number]
    block = neo.Block(**_said(told, "segments"))
    found = reader.get_sub_signal_streams(reader._prefered_signal_group_mode)
    streams = [(RawStream(reader, index, channels), name) for index, channels, name in found]
    headers = reader.header["signal_streams"]
    block.groups.extend([neo.Group(name=name, stream_id=headers[stream.index]["id"]) for stream, name in streams])
    block.segments.extend(
        [_segment(reader, (number, index), streams, raw) for index in range(reader.segment_count(number))]
    )
    signals = [signal for segment in block.segments for signal in segment.analogsignals]
    if not raw and sum(signal.nbytes for signal in signals) <= AT_ONCE:
        for signal in signals:
            signal.read_at_once()
    for place, group in enumerate(block.groups):
        group.analogsignals.extend([segment.analogsignals[place] for segment in block.segments])
    return block


def _segment(reader: Any, place: tuple[int, int], streams: list[tuple[RawStream, str]], raw: bool) -> Any:
    block, index = place
    told = reader.raw_annotations["blocks"][block]["segments"][index]
    segment = neo.Segment(index=index, **_said(told, "signals", "spikes", "events"))
    segment.analogsignals.extend([RawSignal(stream, block, index, name, raw=raw) for stream, name in streams])
    segment.spiketrains.extend(list(_trains(reader, place)))
    for kind, event in _events(reader, place):
        getattr(segment, kind).append(event)
    return segment


def _trains(reader: Any, place: tuple[int, int]) -> Iterator[Any]:
    block, segment = place
    for channel in range(len(reader.header["spike_channels"])):
        yield loaded(SpikeTrainProxy(reader, channel, block, segment))


def _events(reader: Any, place: tuple[int, int]) -> Iterator[tuple[str, Any]]:
    kinds = {b"event": ("events", EventProxy), b"epoch": ("epochs", EpochProxy)}
    for channel, kind in enumerate(reader.header["event_channels"]["type"]):
        if kind in kinds:
            container, proxy = kinds[kind]
            yield container, loaded(proxy(reader, channel, *place))


def _said(told: dict[str, Any], *below: str) -> dict[str, Any]:
    said: dict[str, Any] = check_annotations({key: value for key, value in told.items() if key not in below})
    return said
