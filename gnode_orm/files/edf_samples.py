"""The samples of EDF and BDF, read from the records of the file.

neo cuts the 24 bits of BDF down to 16, so that its samples are other numbers. It also reads channel by channel through
the whole file. Source: the specifications of EDF, EDF+ and BDF (edfplus.info, biosemi.com).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_ANNOTATIONS = ("EDF Annotations", "BDF Annotations")
_HEADER, _OF_SIGNAL = 256, 256
# Where the labels of all signals begin in the header, and their counts of samples, each times the number of signals.
_LABELS, _COUNTS = 0, 216

Array = npt.NDArray[Any]


def read_from_records(reader: Any) -> None:
    """Let a reader of neo take samples from the records of its file, in all their bits."""
    records = Records(Path(reader.filename))
    if len(records.signals) != len(reader.signal_headers):  # something else is hidden than annotations
        return
    reader.header["signal_channels"]["dtype"] = records.dtype.name

    def chunk(block: int, segment: int, start: int | None, stop: int | None, stream: int, channels: Any) -> Array:
        signals = reader.stream_idx_to_chidx[stream]
        end = int(reader.get_signal_size(block, segment, stream)) if stop is None else stop
        return records.samples(signals if channels is None else signals[channels], start or 0, end)

    reader._get_analogsignal_chunk = chunk


class Records:
    """The records of a file: in each, some samples of every signal, signal after signal.

    Attributes:
        signals: for each signal that is no list of annotations, the first byte in a record and the count of samples.
        dtype: that of the samples.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            start = file.read(_HEADER)
            count = int(start[252:256])
            of_signals = file.read(count * _OF_SIGNAL)
        self._width = 3 if start[:1] == b"\xff" else 2
        self.dtype = np.dtype("<i4" if self._width == 3 else "<i2")
        labels = [_field(of_signals, count, _LABELS, 16, number) for number in range(count)]
        counts = [int(_field(of_signals, count, _COUNTS, 8, number)) for number in range(count)]
        begins = np.cumsum([0, *counts]) * self._width
        self.signals = [
            (int(begin), size)
            for label, begin, size in zip(labels, begins, counts, strict=False)
            if label not in _ANNOTATIONS
        ]
        number, size = int(start[236:244]), int(begins[-1])
        self._records: Array = np.memmap(path, "u1", "r", int(start[184:192]), (number, size)).view(np.ndarray)

    def samples(self, signals: Any, start: int, stop: int) -> Array:
        """Read samples of signals that have as many in each record."""
        size = self.signals[signals[0]][1]
        first = start // size
        records = self._records[first : -(-stop // size)]
        values = np.empty((len(records) * size, len(signals)), self.dtype)
        for place, signal in enumerate(signals):
            begin, _ = self.signals[signal]
            values[:, place] = self._numbers(records[:, begin : begin + size * self._width])
        return values[start - first * size : stop - first * size]

    def _numbers(self, data: Array) -> Array:
        if self._width == 2:
            return np.ascontiguousarray(data).view("<i2").reshape(-1)
        # The three bytes become the upper ones of four, which are shifted down with their sign.
        four = np.zeros((data.size // 3, 4), "u1")
        four[:, 1:] = data.reshape(-1, 3)
        return four.view("<i4").reshape(-1) >> 8


def _field(of_signals: bytes, count: int, begin: int, width: int, number: int) -> str:
    place = begin * count + width * number
    return of_signals[place : place + width].decode("latin-1").strip()
