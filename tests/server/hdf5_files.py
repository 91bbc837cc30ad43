"""HDF5 files as the bytes that a client sends."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import h5py


def hdf5_bytes(fill: Callable[[Any], object]) -> bytes:
    """Write a file with what ``fill`` puts into its root."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as root:
        fill(root)
    return buffer.getvalue()
