"""What is in an HDF5 file that comes from outside, found by few questions to the library.

The objects that the library offers for everyday use ask it again for whatever is looked at. A delta has tens of
thousands of datasets, and most of the time of reading it would go into such questions.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from gnode_orm.errors import ValidationFailed

MAX_OBJECTS = 500_000


class Tree:
    """The groups and datasets of one file.

    Args:
        root: the library's id of the first group.
    """

    def __init__(self, root: Any) -> None:
        self._root = root

    def members(self) -> list[str]:
        """Give the names of what is in the first group.

        Raises:
            ValidationFailed: too many, or one that leads elsewhere.
        """
        return [path for path, *_ in self._paths(lambda note: self._root.links.iterate(note, info=True)[0], 1)]

    def groups(self) -> dict[str, list[str]]:
        """Give the names of what is in each group of the first group; nothing is in what is no group.

        Raises:
            ValidationFailed: too many, one that leads elsewhere, or groups within these groups.
        """
        found: dict[str, list[str]] = {}
        for name, *member in self._paths(lambda note: self._root.links.visit(note, info=True), 2):
            found.setdefault(name, []).extend(member)
        return found

    def _paths(self, walk: Any, levels: int) -> list[list[str]]:
        import h5py

        paths: list[list[str]] = []
        hard = h5py.h5l.TYPE_HARD

        def note(stored: bytes, link: Any) -> str | None:
            # What is returned ends the walk, before it goes any deeper.
            path = stored.decode("utf-8", "surrogateescape").split("/")
            if link.type != hard:
                return f"/{'/'.join(path)} is a link to something else, which is not followed"
            if len(path) > levels or len(paths) == MAX_OBJECTS:
                return f"/{'/'.join(path)} is one too many: at most {MAX_OBJECTS} are taken, in groups of one level"
            paths.append(path)
            return None

        refusal = walk(note)
        if refusal is not None:
            raise ValidationFailed(str(refusal))
        return paths

    def dataset(self, path: str) -> Dataset | None:
        """Give the dataset at a path; ``None`` where something else is."""
        import h5py

        try:
            return Dataset(h5py.h5d.open(self._root, path.encode("utf-8", "surrogateescape")), f"/{path}")
        except KeyError:
            return None


class Dataset:
    """A dataset as the library describes it.

    Attributes:
        shape: lengths of the axes; ``None`` where there is not even an empty array.
        type: what one element is in the file.
        offset: where the data begin, if they stand in the file in one piece and are not filtered.
    """

    def __init__(self, id: Any, name: str) -> None:
        self.id = id
        self.name = name
        self.shape: tuple[int, ...] | None = id.shape
        self.type = id.get_type()
        self.offset: int | None = id.get_offset()

    @cached_property
    def plan(self) -> Any:
        """How and where the data are kept."""
        return self.id.get_create_plist()

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        """What one element is in memory."""
        dtype: np.dtype[Any] = self.type.dtype
        return dtype

    @property
    def is_text(self) -> bool:
        """Whether the elements are texts of any length."""
        import h5py

        return self.type.get_class() == h5py.h5t.STRING and bool(self.type.is_variable_str())

    @property
    def chunks(self) -> tuple[int, ...] | None:
        """The shape of the chunks in which the data are kept, where they are."""
        import h5py

        if self.offset is not None or self.plan.get_layout() != h5py.h5d.CHUNKED:
            return None
        return tuple(self.plan.get_chunk())
