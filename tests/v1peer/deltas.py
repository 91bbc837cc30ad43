"""HDF5 deltas as the original client wrote them, and as nobody should."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

Arrays = Mapping[str, npt.NDArray[Any]]


def delta(objects: Mapping[str, Mapping[str, Any]], arrays: Mapping[str, Arrays] | None = None) -> bytes:
    """Write a delta; objects and arrays go by ``kind/id``."""
    file = io.BytesIO()
    with h5py.File(file, "w") as root:
        for name, body in objects.items():
            kind, _, id_ = name.partition("/")
            namespace = "metadata" if kind in ("document", "section", "property", "value") else "electrophysiology"
            group = root.create_group(f"-api-v1-{namespace}-{kind}-{id_}-")
            group.create_dataset("json", data=json.dumps(body), dtype=h5py.string_dtype("ascii"))
            for field, array in (arrays or {}).get(name, {}).items():
                group.create_dataset(field, data=np.asarray(array))
    return file.getvalue()


def as_upload(content: bytes, field: str = "raw_file") -> dict[str, tuple[str, bytes]]:
    """The files of a request that carries a delta or an array."""
    return {field: ("raw_file", content)}


def arraydata(array: npt.ArrayLike, name: str = "arraydata") -> bytes:
    """Write an array as the original client did: one dataset."""
    file = io.BytesIO()
    with h5py.File(file, "w") as root:
        root.create_dataset(name, data=np.asarray(array))
    return file.getvalue()
