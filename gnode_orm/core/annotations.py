"""Annotations: dictionaries and lists that tell their owner before they change, at any depth."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, SupportsIndex

import numpy as np

from gnode_orm.core.typed_json import decode, encode


class Watcher:
    """Knows which object and field a container belongs to, and keeps the object.

    ``session.get(...).annotations["a"] = 1`` holds the object by nothing else when the edit is made.
    """

    __slots__ = ("_field", "_owner")

    def __init__(self, owner: Any, field: str) -> None:
        self._owner = owner
        self._field = field

    def before_change(self) -> None:
        """Tell the owner that the field is about to be edited in place."""
        self._owner._before_edit(self._field)


class AnnotationDict(dict[str, Any]):
    """A dictionary of annotations. Values keep their types; an edit at any depth is tracked."""

    __slots__ = ("_watcher",)

    def __init__(self, values: Mapping[str, Any] | None = None, watcher: Watcher | None = None) -> None:
        self._watcher = watcher
        super().__init__({key: tracked(item, watcher) for key, item in (values or {}).items()})

    def __setitem__(self, key: str, value: Any) -> None:
        encode({key: value})
        _before_change(self._watcher)
        super().__setitem__(key, tracked(value, self._watcher))

    def __delitem__(self, key: str) -> None:
        if key in self:
            _before_change(self._watcher)
        super().__delitem__(key)

    def update(self, *args: Any, **values: Any) -> None:
        """Set several annotations at once; all of them or, where one cannot be kept, none."""
        new = dict(*args, **values)
        encode(new)
        _before_change(self._watcher)
        super().update({key: tracked(value, self._watcher) for key, value in new.items()})

    def __ior__(self, other: Any) -> AnnotationDict:  # type: ignore[override,misc]
        self.update(other)
        return self

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Give the annotation, set to ``default`` where there is none."""
        if key not in self:
            self[key] = default
        return self[key]

    def pop(self, key: str, *default: Any) -> Any:
        """Remove an annotation and give it."""
        if key in self:
            _before_change(self._watcher)
        return super().pop(key, *default)

    def popitem(self) -> tuple[str, Any]:
        """Remove the last annotation and give it with its key."""
        if self:
            _before_change(self._watcher)
        return super().popitem()

    def clear(self) -> None:
        """Remove every annotation."""
        _before_change(self._watcher)
        super().clear()

    def put_back(self, values: Mapping[str, Any] | None) -> None:
        """Take over earlier content, telling nobody."""
        super().clear()
        super().update({key: tracked(item, self._watcher) for key, item in (values or {}).items()})

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (encode(self),)

    def __copy__(self) -> dict[str, Any]:
        return dict(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        return {key: plain(item) for key, item in self.items()}


class AnnotationList(list[Any]):
    """A list inside annotations; an edit at any depth is tracked."""

    __slots__ = ("_watcher",)

    def __init__(self, values: Iterable[Any] = (), watcher: Watcher | None = None) -> None:
        self._watcher = watcher
        super().__init__(tracked(item, watcher) for item in values)

    def __setitem__(self, place: Any, value: Any) -> None:
        items = list(value) if isinstance(place, slice) else value
        encode(items)
        _before_change(self._watcher)
        # A slice takes a list, whose items are then tracked one by one.
        super().__setitem__(place, tracked(items, self._watcher))

    def __delitem__(self, place: Any) -> None:
        _before_change(self._watcher)
        super().__delitem__(place)

    def append(self, value: Any) -> None:
        """Add a value at the end."""
        self.insert(len(self), value)

    def insert(self, place: SupportsIndex, value: Any) -> None:
        """Add a value before ``place``."""
        encode(value)
        _before_change(self._watcher)
        super().insert(place, tracked(value, self._watcher))

    def extend(self, values: Iterable[Any]) -> None:
        """Add several values at the end."""
        self[len(self) :] = values

    def __iadd__(self, values: Iterable[Any]) -> AnnotationList:  # type: ignore[misc]
        self.extend(values)
        return self

    def __imul__(self, times: SupportsIndex) -> AnnotationList:
        self[:] = list(self) * times
        return self

    def pop(self, place: SupportsIndex = -1) -> Any:
        """Remove a value and give it."""
        if self:
            _before_change(self._watcher)
        return super().pop(place)

    def remove(self, value: Any) -> None:
        """Remove the first equal value."""
        del self[self.index(value)]

    def clear(self) -> None:
        """Remove every value."""
        _before_change(self._watcher)
        super().clear()

    def sort(self, *, key: Callable[[Any], Any] | None = None, reverse: bool = False) -> None:
        """Sort in place; the values stay the same objects."""
        items = sorted(self, key=key, reverse=reverse)
        _before_change(self._watcher)
        super().__setitem__(slice(None), items)

    def reverse(self) -> None:
        """Turn the order round in place; the values stay the same objects."""
        _before_change(self._watcher)
        super().reverse()

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (encode(self),)

    def __copy__(self) -> list[Any]:
        return list(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> list[Any]:
        return [plain(item) for item in self]


def tracked(value: Any, watcher: Watcher | None) -> Any:
    """Copy a value into containers that are tracked; arrays become read-only copies."""
    if isinstance(value, Mapping):
        return AnnotationDict(value, watcher)
    if isinstance(value, list):
        return AnnotationList(value, watcher)
    if isinstance(value, tuple):
        return tuple(tracked(item, watcher) for item in value)
    if isinstance(value, np.ndarray):
        copy = _each(value, lambda item: tracked(item, watcher))
        copy.flags.writeable = False
        return copy
    return value


def plain(value: Any) -> Any:
    """Copy tracked containers back into plain dictionaries and lists; arrays become writable copies."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, tuple):
        return tuple(plain(item) for item in value)
    return _each(value, plain) if isinstance(value, np.ndarray) else value


def _each(array: np.ndarray[Any, Any], change: Callable[[Any], Any]) -> np.ndarray[Any, Any]:
    """Copy an array; one of objects with each of them changed, since they may be lists that are edited in place."""
    copy = array.copy()
    if copy.dtype == object:
        for place in np.ndindex(copy.shape):
            copy[place] = change(copy[place])
    return copy


def _restored(text: str) -> Any:
    """Read what was pickled: as text, since NumPy's own pickles of arrays forget the order of bytes."""
    return tracked(decode(text), None)


def _before_change(watcher: Watcher | None) -> None:
    if watcher is not None:
        watcher.before_change()
