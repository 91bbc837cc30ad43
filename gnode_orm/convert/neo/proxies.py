"""Objects that neo has not loaded yet. A signal becomes an array that reads only what is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import quantities as pq
from neo.io.proxyobjects import AnalogSignalProxy, BaseProxy, SpikeTrainProxy

from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.units import Unit, unit_of_quantity


class ProxyArray(ArrayHandle):
    """The samples of a signal in a file, read by slices of time; raw where the file keeps integers.

    ``column`` takes the only channel as an array of one axis.
    """

    __slots__ = ("_column", "_physical", "_proxy")

    def __init__(self, proxy: Any, unit: Unit, *, physical: bool, column: bool) -> None:
        sample = _chunk(proxy, 0, 0, physical)
        shape = proxy.shape[:1] if column else proxy.shape
        # No array and no reference: every read goes to the file.
        super().__init__(np.broadcast_to(np.empty((), sample.dtype), shape), unit)
        self._array = None
        self._proxy = proxy
        self._physical = physical
        self._column = column

    def with_unit(self, unit: Any) -> ArrayHandle:
        return self._in_memory().with_unit(unit)

    def rescaled(self, unit: Any) -> ArrayHandle:
        return self._in_memory().rescaled(unit)

    def _in_memory(self) -> ArrayHandle:
        return ArrayHandle.in_memory(self._read(...), self._unit)

    def _read(self, key: Any) -> npt.NDArray[Any]:
        first, rest = (key[0], key[1:]) if isinstance(key, tuple) and key else (key, ())
        start, stop = 0, self.shape[0]
        if isinstance(first, slice) and first.step in (None, 1):
            start, stop, _ = first.indices(stop)
            first = slice(None)
        values = _chunk(self._proxy, start, max(start, stop), self._physical)
        values = np.asarray(values[:, 0] if self._column else values)[(first, *rest)]
        values = np.array(values, order="C")
        values.flags.writeable = False
        return values


class ProxySignal:
    """An ``AnalogSignalProxy`` with the attributes of an ``AnalogSignal``, the samples apart.

    Integers of the file stay integers, with gain and offset of each channel.
    """

    def __init__(self, proxy: Any) -> None:
        self._proxy = proxy
        channels = proxy._rawio.header["signal_channels"][proxy._global_channel_indexes]
        self._raw = np.dtype(proxy.dtype).kind in "iu"
        self.gain = _one_or_each(channels["gain"]) if self._raw else None
        self.offset = _one_or_each(channels["offset"]) if self._raw and channels["offset"].any() else None
        self.ndim = 2

    def __getattr__(self, name: str) -> Any:
        return getattr(self._proxy, name)

    def samples(self, reshape: Callable[[Any], Any]) -> ProxyArray:
        """Make the array of the samples; ``reshape`` tells whether one channel is wanted without its axis."""
        column = reshape(np.empty((0, max(1, self._proxy.shape[1])))).ndim == 1
        unit = unit_of_quantity(pq.Quantity(1.0, self._proxy.units))
        return ProxyArray(self._proxy, unit, physical=not self._raw, column=column)


def loaded(native: Any) -> Any:
    """Load a proxy; signals stay in their file. Other objects are given as they are."""
    if not isinstance(native, BaseProxy):
        return native
    if isinstance(native, AnalogSignalProxy):
        return ProxySignal(native)
    if isinstance(native, SpikeTrainProxy):
        return _with_waveforms(native.load(), native)
    return native.load()


def _with_waveforms(train: Any, proxy: Any) -> Any:
    """Add the waveforms, which ``load`` leaves out or raises for where the file has none."""
    place = {"block_index": proxy._block_index, "seg_index": proxy._seg_index}
    channel = proxy._spike_channel_index
    if proxy.sampling_rate is not None:
        raw = proxy._rawio.get_spike_raw_waveforms(**place, spike_channel_index=channel)
        if raw is not None:
            scaled = proxy._rawio.rescale_waveforms_to_float(raw, dtype="float32", spike_channel_index=channel)
            train.waveforms = pq.Quantity(scaled, units=proxy._wf_units)
    return train


def _one_or_each(numbers: Any) -> float | tuple[float, ...]:
    each = tuple(map(float, numbers))
    return each[0] if len(set(each)) == 1 else each


def _chunk(proxy: Any, start: int, stop: int, physical: bool) -> Any:
    inner = proxy._inner_stream_channels
    channels = None if isinstance(inner, slice) and inner == slice(None) else inner
    place = {"block_index": proxy._block_index, "seg_index": proxy._seg_index}
    stream = {"stream_index": proxy._stream_index, "channel_indexes": channels}
    raw = proxy._rawio.get_analogsignal_chunk(**place, **stream, i_start=start, i_stop=stop)
    if not physical:
        return raw
    dtype = "float64" if proxy.dtype == "float64" else "float32"
    return proxy._rawio.rescale_signal_raw_to_float(raw, dtype=dtype, **stream)
