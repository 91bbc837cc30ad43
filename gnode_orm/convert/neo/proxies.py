"""Objects that neo has not loaded yet: signals stay in their file, the others are loaded."""

from __future__ import annotations

from typing import Any

import quantities as pq
from neo.io.proxyobjects import AnalogSignalProxy, BaseProxy, SpikeTrainProxy

from gnode_orm.convert.neo.raw_signals import RawSignal, RawStream

_SAID = ("description", "file_origin", "annotations", "array_annotations", "t_start", "sampling_rate")


def loaded(native: Any) -> Any:
    """Load a proxy; signals stay in their file. Other objects are given as they are."""
    if not isinstance(native, BaseProxy) or isinstance(native, RawSignal):
        return native
    if isinstance(native, AnalogSignalProxy):
        return _in_file(native)
    if isinstance(native, SpikeTrainProxy):
        return _with_waveforms(native.load(), native)
    return native.load()


def _in_file(proxy: Any) -> RawSignal:
    """Take a signal for which neo made a proxy, with what has been said of it since."""
    stream = RawStream(proxy._rawio, proxy._stream_index, proxy._inner_stream_channels)
    signal = RawSignal(stream, proxy._block_index, proxy._seg_index, proxy.name, raw=True)
    for name in _SAID:
        setattr(signal, name, getattr(proxy, name))
    return signal


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
