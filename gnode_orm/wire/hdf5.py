"""Arrays as HDF5 files, and HDF5 files that strangers send: opened so that nothing outside them is touched.

A file may name other files (external links, external storage, virtual datasets), ask for filters that are loaded as
plug-ins, and claim sizes that it does not have. Each of these is refused before any data is read. The library tells
what is in a file and where; data and texts are read without it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from gnode_orm.errors import GnodeError, ValidationFailed
from gnode_orm.wire.hdf5_data import CHECKSUM, DEFLATE, SHUFFLE, StoredArray
from gnode_orm.wire.hdf5_heap import Heap
from gnode_orm.wire.hdf5_tree import Dataset, Tree

DATASET = "arraydata"
SIGNATURE = b"\x89HDF\r\n\x1a\n"
MAX_AXES = 32

_FILTERS = frozenset({DEFLATE, SHUFFLE, CHECKSUM})
_KINDS = "biufcSU"
# What a file may unfold to: some room, and then what honest compression reaches.
_ROOM = 16 << 20
_UNFOLDING = 100


@dataclass(frozen=True)
class Content:
    """An opened file: its groups and datasets, and the bytes that they are made of."""

    tree: Tree
    file: IO[bytes]
    size: int
    heap: Heap


@contextmanager
def opened(file: IO[bytes]) -> Iterator[Content]:
    """Open an HDF5 file that came from outside.

    Raises:
        ValidationFailed: it is no HDF5 file, or a broken one.
    """
    import h5py

    file.seek(0)
    if file.read(len(SIGNATURE)) != SIGNATURE:
        raise ValidationFailed("Uploaded file is not an HDF5 file")
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    try:
        with h5py.File(file, "r", locking=False) as root:
            heap = Heap(file, size, root.id.get_create_plist().get_sizes())
            yield Content(Tree(root["/"].id), file, size, heap)
    except (OSError, RuntimeError, KeyError, TypeError, ValueError, ArithmeticError, MemoryError) as error:
        if isinstance(error, GnodeError):
            raise  # some of our own errors are kinds of OSError
        raise ValidationFailed(f"The HDF5 file cannot be read ({error})") from None


class Allowance:
    """How much the datasets of one file may take together; small files claim large things, or name one text often.

    Args:
        file_size: bytes of the file.
    """

    def __init__(self, file_size: int) -> None:
        self.file_size = file_size
        self._left = _ROOM + _UNFOLDING * file_size
        # Texts are not compressed, and whoever writes one writes it once for each place.
        self._text_left = file_size

    def take(self, size: int, what: str) -> None:
        """Grant room for an array.

        Raises:
            ValidationFailed: the file claims more than it can hold.
        """
        self._left -= size
        if self._left < 0:
            raise ValidationFailed(f"{what} claims {size} bytes in a file of {self.file_size}; nothing was read")

    def take_text(self, size: int, what: str) -> None:
        """Grant room for text.

        Raises:
            ValidationFailed: the texts are longer than the file.
        """
        self._text_left -= size
        if self._text_left < 0:
            raise ValidationFailed(f"{what}: the texts are longer than the file of {self.file_size} bytes")


class DatasetSource:
    """A dataset of an uploaded file as an array that is read piece by piece.

    Raises:
        ValidationFailed: a dataset that is not taken; the message says why.
    """

    def __init__(self, dataset: Dataset, content: Content, allowance: Allowance) -> None:
        self._dataset = dataset
        self._content = content
        self.shape: tuple[int, ...] = _shape(dataset)
        _check_storage(dataset)
        _check_size(dataset, self.shape, allowance)
        self._labels = _labels(dataset, self.shape, content.heap, allowance) if dataset.is_text else None
        self.dtype: np.dtype[Any] = _plain_dtype(dataset) if self._labels is None else self._labels.dtype

    @property
    def nbytes(self) -> int:
        """Size in memory."""
        return int(np.prod(self.shape, dtype=object)) * self.dtype.itemsize

    def chunks(self) -> Iterator[npt.NDArray[Any]]:
        """Give the array in pieces along its first axis."""
        if self._labels is not None:
            yield self._labels
            return
        content = self._content
        yield from StoredArray(content.file, content.size, self._dataset, self.dtype, self.shape).pieces()

    def read(self, key: Any) -> npt.NDArray[Any]:
        """Read ``array[key]`` (basic indexing); where the file can give just that, no more is read."""
        import h5py

        if self._labels is None and _is_simple(key):
            return np.asarray(h5py.Dataset(self._dataset.id)[key], dtype=self.dtype)
        values: npt.NDArray[Any] = np.concatenate([np.atleast_1d(piece) for piece in self.chunks()])
        part: npt.NDArray[Any] = values.reshape(self.shape)[key]
        return part


def _is_simple(key: Any) -> bool:
    """Whether HDF5 itself understands an index: whole numbers, and ranges that rise."""
    steps = key if isinstance(key, tuple) else (key,)
    return all(
        step is Ellipsis
        or (isinstance(step, slice) and (step.step is None or step.step > 0))
        or (isinstance(step, int | np.integer) and not isinstance(step, bool) and step >= 0)
        for step in steps
    )


def first_dataset(content: Content, file_size: int) -> DatasetSource:
    """Give the first dataset of a file, whatever its name.

    Raises:
        ValidationFailed: the file has none, or one of a form that is refused.
    """
    for name in content.tree.members():
        dataset = content.tree.dataset(name)
        if dataset is not None:
            return DatasetSource(dataset, content, Allowance(file_size))
    raise ValidationFailed("The HDF5 file holds no dataset")


def read_text(dataset: Dataset, limit: int, content: Content, allowance: Allowance) -> str:
    """Read a scalar text, as ``json`` in a delta is.

    Raises:
        ValidationFailed: something else, or longer than ``limit`` bytes.
    """
    is_text = dataset.is_text
    if dataset.shape != () or not (is_text or dataset.dtype.kind == "S"):
        raise ValidationFailed(f"{dataset.name} is not a single text")
    _check_storage(dataset)
    references = content.heap.references(dataset, 1) if is_text else None
    # Text of one width claims it; text of any length is as long as its reference says.
    length = dataset.dtype.itemsize if references is None else references[0][0]
    if length > limit:
        raise ValidationFailed(f"{dataset.name} is longer than {limit} bytes")
    allowance.take_text(length, dataset.name)
    if references is not None:
        return next(content.heap.texts(references, dataset.name))
    (data,) = StoredArray(content.file, content.size, dataset, dataset.dtype, ()).pieces()
    return bytes(data[()]).decode()


def _labels(dataset: Dataset, shape: tuple[int, ...], heap: Heap, allowance: Allowance) -> npt.NDArray[Any]:
    """Read text of any length as an array of one width; clients write ASCII, others UTF-8."""
    if len(shape) > 1:
        raise ValidationFailed(f"{dataset.name} has {len(shape)} axes; text has one")
    references = heap.references(dataset, shape[0] if shape else 1)
    allowance.take_text(sum(length for length, _, _ in references), dataset.name)
    texts = list(heap.texts(references, dataset.name))
    width = max(map(len, texts), default=1) or 1
    allowance.take(len(texts) * width * 4, dataset.name)
    return np.array(texts, dtype=f"U{width}").reshape(shape)


def write_file(file: IO[bytes], source: Any) -> None:
    """Write an array that comes in pieces as an HDF5 file with one dataset ``arraydata``."""
    import h5py

    with h5py.File(file, "w") as root:
        write_dataset(root, DATASET, source)


def write_dataset(group: Any, name: str, source: Any) -> None:
    """Write an array that comes in pieces as a dataset; text as text of any length, which every reader takes."""
    import h5py

    text = source.dtype.kind == "U"
    dataset = group.create_dataset(name, source.shape, h5py.string_dtype("utf-8") if text else source.dtype)
    if 0 in source.shape:
        return
    start = 0
    for piece in source.chunks():
        values = piece.astype(object) if text else piece
        if source.shape:
            dataset[start : start + len(piece)] = values
            start += len(piece)
        else:
            dataset[()] = values


def _shape(dataset: Dataset) -> tuple[int, ...]:
    if dataset.shape is None:
        raise ValidationFailed(f"{dataset.name} is an empty dataset without a shape")
    if len(dataset.shape) > MAX_AXES:
        raise ValidationFailed(f"{dataset.name} has {len(dataset.shape)} axes; at most {MAX_AXES} are taken")
    return tuple(dataset.shape)


def _plain_dtype(dataset: Dataset) -> np.dtype[Any]:
    dtype: np.dtype[Any] = dataset.dtype
    if dtype.kind not in _KINDS or dtype.subdtype is not None or dtype.itemsize == 0:
        raise ValidationFailed(f"{dataset.name}: data of type {dtype} are not taken; send numbers or text")
    # Enumerations and the like carry a description that is not part of an array.
    plain = np.dtype(dtype.str)
    _check_layout(dataset, plain)
    return plain


def _check_layout(dataset: Dataset, dtype: np.dtype[Any]) -> None:
    """Refuse numbers whose bytes are not those of the data type that stands for them."""
    import h5py

    stored = dataset.type
    if isinstance(stored, h5py.h5t.TypeEnumID):
        stored = stored.get_super()
    same = stored.get_size() == dtype.itemsize if dtype.kind in "bS" else stored.equal(h5py.h5t.py_create(dtype))
    if not same:
        raise ValidationFailed(f"{dataset.name}: numbers in a layout of their own are not taken; send {dtype}")


def _check_storage(dataset: Dataset) -> None:
    import h5py

    if dataset.offset is not None:
        return
    plan = dataset.plan
    if plan.get_external_count() or plan.get_layout() == h5py.h5d.VIRTUAL:
        raise ValidationFailed(f"{dataset.name} keeps its data in other files, which are not opened")
    filters = {plan.get_filter(number)[0] for number in range(plan.get_nfilters())}
    if filters - _FILTERS:
        raise ValidationFailed(
            f"{dataset.name} needs the HDF5 filters {sorted(filters - _FILTERS)}; gzip and shuffle are taken"
        )


def _check_size(dataset: Dataset, shape: tuple[int, ...], allowance: Allowance) -> None:
    allowance.take(int(np.prod(shape, dtype=object)) * dataset.dtype.itemsize, dataset.name)
    chunks = dataset.chunks
    # One chunk is unfolded whole, however little of it is asked for.
    if (
        chunks
        and int(np.prod(chunks, dtype=object)) * dataset.dtype.itemsize > _ROOM + _UNFOLDING * allowance.file_size
    ):
        raise ValidationFailed(f"{dataset.name} has chunks of {chunks}, larger than the file allows")
