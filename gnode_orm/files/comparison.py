"""What a written file does not give back: two trees of models compared, place by place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from gnode_orm.convert.filled_names import name_in_file
from gnode_orm.core.schema import FieldSpec, FieldType
from gnode_orm.files.validation.walk import walk

# Where an object came from is told anew by whoever reads the file; ``ext`` is for what has no other place.
_NOT_COMPARED = frozenset({"file_origin", "ext"})
_NUMBERS = "biuf"
# Files know only lists of these; one alone comes back as a list of one.
_LISTS = {"event": "eventarray", "epoch": "epocharray", "spike": "spiketrain"}


def losses_between(kept: Any, given: Any, path: str) -> list[str]:
    """Give one line for each sort of thing that ``kept`` has and ``given`` has not, or has otherwise.

    What is in ``given`` alone is no loss.
    """
    there = dict(walk(given, path)) if given is not None else {}
    found: dict[str, list[str]] = {}
    more = Counter(entity.kind for entity in there.values())
    more.subtract(entity.kind for _, entity in walk(kept, path))
    places = {id(entity): place for place, entity in walk(kept, path)}
    others = {id(entity): place for place, entity in there.items()}
    for place, entity in walk(kept, path):
        other = there.get(place)
        if other is None and more[_LISTS.get(entity.kind, "")] > 0:
            sentences: Iterable[str] = [f"{type(entity).__name__} is kept as a list of one"]
        else:
            sentences = _of_entity(entity, other, places, others)
        for sentence in sentences:
            found.setdefault(sentence, []).append(place)
    return [_line(sentence, where) for sentence, where in found.items()]


def _of_entity(kept: Any, given: Any, places: dict[int, str], others: dict[int, str]) -> Iterator[str]:
    name = type(kept).__name__
    if given is None or type(given) is not type(kept):
        instead = "" if given is None else f"; a {type(given).__name__} stands in its place"
        yield f"{name} is not in the file{instead}"
        return
    for spec in type(kept).__spec__.fields:
        if spec.name in _NOT_COMPARED:
            continue
        if spec.type is FieldType.REF:
            yield from _of_reference(kept, given, spec, places, others)
        elif spec.type is FieldType.JSON:
            yield from _of_annotations(name, spec.name, getattr(kept, spec.name), getattr(given, spec.name))
        else:
            yield from _of_field(name, spec.name, _value(kept, spec.name), _value(given, spec.name))


def _value(entity: Any, field: str) -> Any:
    """A field's value, without a name that the import made up."""
    return (name_in_file(entity) or None) if field == "name" else getattr(entity, field)


def _of_field(name: str, field: str, kept: Any, given: Any) -> Iterator[str]:
    if kept is None or _same(kept, given):
        return
    if given is None:
        yield f"{name}.{field} is lost"
    else:
        how = "kept with another type or unit" if _same_values(kept, given) else "changed"
        yield f"{name}.{field} is {how}"


def _of_annotations(name: str, field: str, kept: Any, given: Any) -> Iterator[str]:
    for key, value in (kept or {}).items():
        if key not in (given or {}):
            yield f"{name}.{field}[{key!r}] is lost"
        elif not _same(value, given[key]):
            how = "kept with another type or unit" if _same_values(value, given[key]) else "changed"
            yield f"{name}.{field}[{key!r}] is {how}"


def _of_reference(
    kept: Any, given: Any, spec: FieldSpec, places: dict[int, str], others: dict[int, str]
) -> Iterator[str]:
    parent = getattr(kept, spec.name)
    if parent is None:
        return
    name = type(kept).__name__
    if id(parent) not in places:
        # A parent above what is written is not expected in the file; a link to metadata is.
        if spec.name == "metadata":
            yield f"{name}.metadata is lost; export the document that it points into as odML"
        return
    other = getattr(given, spec.name)
    if other is None or others.get(id(other)) != places[id(parent)]:
        yield f"{name}.{spec.name} is lost"


def _same(one: Any, two: Any) -> bool:
    if isinstance(one, dict) and isinstance(two, dict):
        return one.keys() == two.keys() and all(_same(one[key], two[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(two, list | tuple):
        return len(one) == len(two) and all(map(_same, one, two))
    if _unit(one) != _unit(two):
        return False
    if hasattr(one, "dtype") and hasattr(two, "dtype"):
        first, second = np.asarray(one), np.asarray(two)
        same_type = first.dtype == second.dtype or first.dtype.kind == second.dtype.kind == "U"
        return same_type and _equal(first, second)
    if hasattr(one, "dtype") or hasattr(two, "dtype"):
        return False
    return type(one) is type(two) and (one == two or one != one)


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


def _equal(first: Any, second: Any) -> bool:
    return bool(np.array_equal(first, second, equal_nan=first.dtype.kind in "fc"))


def _unit(value: Any) -> str | None:
    dimensionality = getattr(value, "dimensionality", None)
    return None if dimensionality is None else str(dimensionality.string)


def _line(sentence: str, places: list[str]) -> str:
    more = f" and {len(places) - 1} more" if len(places) > 1 else ""
    return f"{sentence} (at {places[0]}{more})"
