"""Labels that clients of the first version send as bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt


def as_text(source: Any) -> Any:
    """Give labels of bytes as text, and any other array as it is.

    The bytes are UTF-8; where any of them is not, all are read as Latin-1, which takes every byte.
    """
    return _TextLabels(source) if source.dtype.kind == "S" else source


class _TextLabels:
    """An array of text that stands for one of bytes."""

    def __init__(self, source: Any) -> None:
        words = [word for piece in source.chunks() for word in np.asarray(piece).reshape(-1).tolist()]
        self._labels: npt.NDArray[Any] = np.array(_decoded(words), dtype="U").reshape(source.shape)
        self.shape: tuple[int, ...] = source.shape
        self.dtype: np.dtype[Any] = self._labels.dtype
        self.nbytes = self._labels.nbytes

    def chunks(self) -> Iterator[npt.NDArray[Any]]:
        """Give the whole array in one piece."""
        yield self._labels


def _decoded(words: list[bytes]) -> list[str]:
    try:
        return [word.decode() for word in words]
    except UnicodeDecodeError:
        return [word.decode("latin-1") for word in words]
