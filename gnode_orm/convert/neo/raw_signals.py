"""Signals whose samples a reader of neo still has in its file.

neo would make a proxy of each signal, and then an array with units; for a recording of many short sweeps that takes
longer than everything else. Here what is the same in all segments is asked for once, and of each signal little more
than its times.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import neo
import numpy as np
import numpy.typing as npt
import quantities as pq
from neo.io.proxyobjects import BaseProxy, ensure_signal_units

from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.errors import FormatError
from gnode_orm.units import Unit

Array = npt.NDArray[Any]


class RawStream:
    """Channels of one unit, which a reader of neo samples together, in any of its segments.

    Attributes:
        units: one of the unit, as a quantity.
        rate: their sampling rate.
        dtype: that of the scaled samples, as neo has it: single precision, but for doubles.
        in_file: the dtype that the header says.
        gain, offset: by which integers in the file are scaled, one for all channels or one for each.
    """

    def __init__(self, reader: Any, index: int, channels: Any = None) -> None:
        self.reader = reader
        self.index = index
        self.channels = None if isinstance(channels, slice) and channels == slice(None) else channels
        every = reader.header["signal_channels"]
        together = every[every["stream_id"] == reader.header["signal_streams"][index]["id"]]
        header = together if self.channels is None else together[self.channels]
        self.count = len(header)
        self.units = ensure_signal_units(header["units"][0])
        self.rate = header["sampling_rate"][0] * pq.Hz
        self.dtype = np.dtype("f8" if header["dtype"][0] == "float64" else "f4")
        self.in_file = np.dtype(header["dtype"][0])
        self.gain = _one_or_each(header["gain"])
        self.offset = _one_or_each(header["offset"]) if header["offset"].any() else None

    def samples(self, block: int, segment: int, start: int | None, stop: int | None, *, scaled: bool) -> Array:
        """Read samples of a segment; scaled as neo scales them, or as they stand in the file."""
        raw: Array = self.reader.get_analogsignal_chunk(
            block_index=block,
            seg_index=segment,
            i_start=start,
            i_stop=stop,
            stream_index=self.index,
            channel_indexes=self.channels,
        )
        return self._rescaled(raw) if scaled else raw

    def _rescaled(self, raw: Array) -> Array:
        """Scale as ``rescale_signal_raw_to_float`` of neo: the same numbers, in half the time where channels agree."""
        values = raw.astype(self.dtype, "C")  # as it is judged, hashed and written
        if self.gain != 1.0:
            values *= np.atleast_1d(self.gain)
        if self.offset is not None:
            values += np.atleast_1d(self.offset)
        return values


class RawSignal(BaseProxy):  # type: ignore[misc]
    """A signal in a file, with the attributes of an ``AnalogSignal``; it can hang in lists of neo.

    With ``raw``, integers of the file stay integers, with ``gain`` and ``offset``.
    """

    proxy_for = neo.AnalogSignal
    _parent_objects = ("Segment",)
    ndim = 2

    def __init__(self, stream: RawStream, block: int, segment: int, name: str, *, raw: bool) -> None:
        self._rawio = reader = stream.reader
        self._stream = stream
        self._place = (block, segment)
        self._scaled = not (raw and stream.in_file.kind in "iu")
        self._samples: Array | None = None
        self.shape: tuple[int, ...] = (reader.get_signal_size(block, segment, stream.index), stream.count)
        self.units = stream.units
        self.sampling_rate = stream.rate
        self.t_start = reader.get_signal_t_start(block, segment, stream.index) * pq.s
        self.gain = None if self._scaled else stream.gain
        self.offset = None if self._scaled else stream.offset
        told = dict(reader.raw_annotations["blocks"][block]["segments"][segment]["signals"][stream.index])
        of_channels = told.pop("__array_annotations__")
        if stream.channels is not None:
            of_channels = {key: values[stream.channels] for key, values in of_channels.items()}
        super().__init__(array_annotations=dict(of_channels), **told)
        self.name = name

    @property
    def nbytes(self) -> int:
        """Size of the samples, scaled."""
        return int(np.prod(self.shape)) * self._stream.dtype.itemsize

    def read_at_once(self) -> None:
        """Read the samples into memory, where they stay."""
        self._samples = self.read(None, None)
        self.shape = self._samples.shape

    @property
    def in_memory(self) -> Array | None:
        """The samples in the shape that a model has them in, where they were read into memory."""
        samples = self._samples
        return samples[:, 0] if samples is not None and samples.shape[1:] == (1,) else samples

    def read(self, start: int | None, stop: int | None) -> Array:
        """Read samples from the file."""
        return self._stream.samples(*self._place, start, stop, scaled=self._scaled)

    def dtype_of_samples(self) -> np.dtype[Any]:
        """The dtype of what is read; that of integers is said more exactly by a sample than by the header."""
        if self._scaled:
            return self._stream.dtype
        return self.read(0, 1).dtype if self.shape[0] else self._stream.in_file

    def handle(self, unit: Unit, reshape: Callable[[Any], Any]) -> ArrayHandle:
        """Make the array for a model; ``reshape`` takes one channel out of its axis where a model wants that."""
        if self._samples is not None:
            return ArrayHandle.in_memory(reshape(self._samples), unit)
        column = reshape(np.empty((0, max(1, self.shape[1])))).ndim == 1
        return SamplesInFile(self, unit, column=column)


class SamplesInFile(ArrayHandle):
    """The samples of a signal in a file, read by slices of time. With ``column``, its only channel without its axis."""

    __slots__ = ("_column", "_signal")

    def __init__(self, signal: RawSignal, unit: Unit, *, column: bool) -> None:
        shape = signal.shape[:1] if column else signal.shape
        # No array and no reference: every read goes to the file.
        super().__init__(np.broadcast_to(np.empty((), signal.dtype_of_samples()), shape), unit)
        self._array = None
        self._signal = signal
        self._column = column

    def with_unit(self, unit: Any) -> ArrayHandle:
        return self._in_memory().with_unit(unit)

    def rescaled(self, unit: Any) -> ArrayHandle:
        return self._in_memory().rescaled(unit)

    def _in_memory(self) -> ArrayHandle:
        return ArrayHandle.in_memory(self._read(...), self._unit)

    def _read(self, key: Any) -> Array:
        first, rest = (key[0], key[1:]) if isinstance(key, tuple) and key else (key, ())
        start, stop = 0, self.shape[0]
        if isinstance(first, slice) and first.step in (None, 1):
            start, stop, _ = first.indices(stop)
            first = slice(None)
        values = self._between(start, stop)
        values = np.asarray(values[:, 0] if self._column else values)[(first, *rest)]
        values = np.array(values, order="C")
        values.flags.writeable = False
        return values

    def _between(self, start: int, stop: int) -> Array:
        if start >= stop:  # some readers take an end of 0 for that of the file
            return np.empty((0, *self._signal.shape[1:]), self.dtype)
        try:
            return self._signal.read(start, stop)
        except Exception as error:  # readers of foreign formats raise anything
            raise FormatError(
                f"samples {start} to {stop} cannot be read: {type(error).__name__}: {' '.join(str(error).split())}"
            ) from error


def _one_or_each(numbers: Any) -> float | tuple[float, ...]:
    each = tuple(map(float, numbers))
    return each[0] if len(set(each)) == 1 else each
