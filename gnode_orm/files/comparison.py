"""What a written file does not give back as it was: two trees of models compared, place by place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from gnode_orm.convert.odml.losses import located
from gnode_orm.core.schema import FieldSpec, FieldType
from gnode_orm.core.typed_json import encode
from gnode_orm.files.validation.walk import walk

# Where an object came from is told anew by whoever reads the file.
_NOT_COMPARED = frozenset({"file_origin"})
# Of ``ext``: who imported an object, under which name, and what others call it by.
_NOT_KEPT = frozenset({"v", "import", "filled", "key"})
_NUMBERS = "biuf"
# Files know only lists of these; one alone comes back as a list of one.
_LISTS = {"event": "eventarray", "epoch": "epocharray", "spike": "spiketrain"}


def losses_between(kept: Any, given: Any, path: str) -> list[str]:
    """Give one line for each sort of thing in which ``given``, as read from a file, differs from ``kept``.

    No line means that the same objects come out of the file that went into it.
    """
    return _Comparison(kept, given, path).lines()


class _Comparison:
    """Two trees, and which object of the one stands where in the other."""

    def __init__(self, kept: Any, given: Any, path: str) -> None:
        self._root = kept
        self._kept = dict(walk(kept, path))
        self._given = dict(walk(given, path)) if given is not None else {}
        self._places = [{id(entity): place for place, entity in tree.items()} for tree in (self._kept, self._given)]
        self._keys = [_places_by_key(tree) for tree in (self._kept, self._given)]
        self._more = Counter(entity.kind for entity in self._given.values())
        self._more.subtract(entity.kind for entity in self._kept.values())

    def lines(self) -> list[str]:
        found: dict[str, list[str]] = {}
        for place, entity in self._kept.items():
            for sentence in self._of_entity(entity, self._given.get(place)):
                found.setdefault(sentence, []).append(place)
        for place, entity in self._given.items():
            if place not in self._kept and not self._is_list_of_one(entity):
                found.setdefault(f"{type(entity).__name__} is added by the file", []).append(place)
        return [located(sentence, where) for sentence, where in found.items()]

    def _of_entity(self, kept: Any, given: Any) -> Iterator[str]:
        name = type(kept).__name__
        if given is None and self._more[_LISTS.get(kept.kind, "")] > 0:
            yield f"{name} is kept as a list of one"
            return
        if given is None or type(given) is not type(kept):
            instead = "" if given is None else f"; a {type(given).__name__} stands in its place"
            yield f"{name} is not in the file{instead}"
            return
        for spec in type(kept).__spec__.fields:
            if spec.name not in _NOT_COMPARED:
                yield from self._of_field(f"{name}.{spec.name}", spec, kept, given)

    def _of_field(self, name: str, spec: FieldSpec, kept: Any, given: Any) -> Iterator[str]:
        if spec.type is FieldType.REF:
            yield from self._of_reference(name, getattr(kept, spec.name), getattr(given, spec.name))
        elif spec.name == "ext":
            # A place in a list says nothing of an object that is written by itself.
            alone = {"pos"} if kept is self._root else set[str]()
            yield from self._of_extension(type(kept).__name__, kept.ext or {}, given.ext or {}, _NOT_KEPT | alone)
        elif spec.type is FieldType.JSON:
            yield from _of_annotations(name, getattr(kept, spec.name) or {}, getattr(given, spec.name) or {})
        else:
            yield from _of_value(name, getattr(kept, spec.name), getattr(given, spec.name))

    def _of_reference(self, name: str, parent: Any, other: Any) -> Iterator[str]:
        places, others = self._places
        if parent is None:
            if other is not None and id(other) in others:
                yield f"{name} is added by the file"
        elif id(parent) not in places:
            # A parent above what is written is not expected in the file; a link to metadata is.
            if name.endswith(".metadata"):
                yield f"{name} is lost; export the document that it points into as odML"
        elif other is None or others.get(id(other)) != places[id(parent)]:
            yield f"{name} is lost"

    def _of_extension(
        self, name: str, kept: Mapping[str, Any], given: Mapping[str, Any], without: frozenset[str]
    ) -> Iterator[str]:
        """Compare what no field holds: members of groups, shapes, values that neo allows and fields refuse."""
        for entry in sorted((kept.keys() | given.keys()) - without):
            one, two = (_resolved(ext.get(entry), keys) for ext, keys in zip((kept, given), self._keys, strict=True))
            if encode(one) != encode(two):
                yield f"{name}: {_ENTRIES.get(entry, entry)} is {'lost' if entry not in given else 'changed'}"

    def _is_list_of_one(self, entity: Any) -> bool:
        """Whether an object that is new in the file stands for a single one, which is told of already."""
        single = {item.kind for item in self._kept.values()}
        return any(many == entity.kind and one in single for one, many in _LISTS.items())


_ENTRIES = {
    "pos": "its place in the list",
    "neo_group": "the list of members of a group",
    "view": "what a view shows",
    "imagesequence": "the shape of images",
    "exact": "what neo allows and no field holds",
}


def _places_by_key(tree: Mapping[str, Any]) -> dict[str, str]:
    """The places of objects by the keys under which groups and views refer to them."""
    keyed = ((place, getattr(entity, "ext", None) or {}) for place, entity in tree.items())
    return {ext["key"]: place for place, ext in keyed if "key" in ext}


def _resolved(value: Any, places: Mapping[str, str]) -> Any:
    """Give a value of ``ext`` with the places of objects instead of their keys, which are made anew each time."""
    if isinstance(value, Mapping):
        return {name: _resolved(item, places) for name, item in value.items()}
    if isinstance(value, list):
        return [_resolved(item, places) for item in value]
    return places.get(value, value) if isinstance(value, str) else value


def _of_value(name: str, kept: Any, given: Any) -> Iterator[str]:
    if (kept is None and given is None) or _same(kept, given):
        return
    if given is None:
        yield f"{name} is lost"
    elif kept is None:
        yield f"{name} is made up by the file"
    else:
        how = "kept with another type or unit" if _same_values(kept, given) else "changed"
        yield f"{name} is {how}"


def _of_annotations(name: str, kept: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[str]:
    for key in given.keys() - kept.keys():
        yield f"{name}[{key!r}] is made up by the file"
    for key, value in kept.items():
        if key not in given:
            yield f"{name}[{key!r}] is lost"
        elif not _same(value, given[key]):
            how = "kept with another type or unit" if _same_values(value, given[key]) else "changed"
            yield f"{name}[{key!r}] is {how}"
    if kept.keys() == given.keys() and list(kept) != list(given):
        yield f"{name}: the order is changed"


def _same(one: Any, two: Any) -> bool:
    """Whether two values are the same: types, bytes, units and order included."""
    if hasattr(one, "dtype") and hasattr(two, "dtype") and hasattr(one, "descriptor") == hasattr(two, "descriptor"):
        first, second = np.asarray(one), np.asarray(two)
        return (_unit(one), first.dtype.str, first.shape) == (_unit(two), second.dtype.str, second.shape) and (
            first.tobytes() == second.tobytes() if first.dtype != object else encode(one) == encode(two)
        )
    if hasattr(one, "dtype") or hasattr(two, "dtype"):
        return False
    return encode(one) == encode(two)


def _same_values(one: Any, two: Any) -> bool:
    """Whether two values say the same but for their type or unit."""
    if _unit(one) and _unit(two):
        try:
            two = two.rescale(one.units)
        except ValueError:
            return False
    first, second = np.asarray(one), np.asarray(two)
    if first.shape != second.shape:
        return False
    if first.dtype.kind in _NUMBERS and second.dtype.kind in _NUMBERS:
        return bool(np.allclose(first, second, equal_nan=True))
    return bool(np.array_equal(first.astype(str), second.astype(str)))


def _unit(value: Any) -> str | None:
    dimensionality = getattr(value, "dimensionality", None)
    return None if dimensionality is None else str(dimensionality.string)
