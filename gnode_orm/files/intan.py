"""Recordings of Intan, read in large pieces where neo's reader reads many small ones.

neo asks the system for each field of the header, a dozen for each channel, and goes through the whole file for each
channel. Source: the data file formats of the RHD2000 and RHS2000 systems (intantech.com): blocks of records, in which
the samples of each channel stand together, channel after channel.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from gnode_orm.files.replaced_numpy import numpy_replaced

Array = npt.NDArray[Any]

# The stream of the amplifier, of which there are many channels; its samples are integers as they stand.
_AMPLIFIER = "0"


def fields_read_through_a_buffer() -> AbstractContextManager[None]:
    """Let neo's reader take the fields of a header from memory."""
    from neo.rawio import intanrawio

    return numpy_replaced(intanrawio, fromfile=_from_buffer)


def _from_buffer(file: BinaryIO, dtype: str, count: int) -> Array:
    """Read numbers through the buffer of a file, fewer where it ends."""
    kind = np.dtype(dtype)
    data = file.read(kind.itemsize * count)
    return np.frombuffer(data, kind, len(data) // kind.itemsize)


def read_side_by_side(reader: Any) -> None:
    """Let a reader of neo take all amplifier channels at once, where they stand in the file of the header."""
    header = reader.header["signal_channels"]
    names = header["id"][header["stream_id"] == _AMPLIFIER]
    if reader.file_format != "header-attached" or not len(names):
        return
    blocks, channel_by_channel = _side_by_side(reader._raw_data, names), reader._get_analogsignal_chunk
    if blocks is None:
        return
    amplifier = reader.header["signal_streams"]["id"].tolist().index(_AMPLIFIER)

    def chunk(block: int, segment: int, start: int | None, stop: int | None, stream: int, channels: Any) -> Array:
        if stream != amplifier or channels is not None:
            read: Array = channel_by_channel(block, segment, start, stop, stream, channels)
            return read
        return _samples(blocks, start or 0, blocks.shape[0] * blocks.shape[2] if stop is None else stop)

    reader._get_analogsignal_chunk = chunk


def _side_by_side(data: Array, names: Array) -> Array | None:
    """View the samples of channels by block, channel and time; ``None`` where something stands between them."""
    fields = [data.dtype.fields[name] for name in names]  # type: ignore[index]
    kind, begin = fields[0][:2]
    end = begin + len(fields) * kind.itemsize
    if [field[1] for field in fields] != list(range(begin, end, kind.itemsize)):
        return None
    rows = data.view(np.ndarray).view("u1").reshape(len(data), data.itemsize)
    return rows[:, begin:end].view(kind.base).reshape(len(data), len(fields), *kind.shape)


def _samples(blocks: Array, start: int, stop: int) -> Array:
    _, channels, length = blocks.shape
    first = start // length
    wanted = blocks[first : -(-stop // length)].transpose(0, 2, 1)
    return np.ascontiguousarray(wanted).reshape(-1, channels)[start - first * length : stop - first * length]
