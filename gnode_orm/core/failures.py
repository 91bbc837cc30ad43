"""pydantic's errors as ours: entity, field, value, and what would be accepted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from gnode_orm.core.fields.reference import AS_INSTANCE, AS_LOCATION
from gnode_orm.core.shortened import shortened
from gnode_orm.errors import ReadOnlyField, UnknownField, ValidationFailed, did_you_mean

_DECIDED = frozenset({"location", "id", "guid", "owner", "date_created", "modified", "kind", "namespace"})


def translated(cls: Any, error: ValidationError, *, field: str | None = None) -> ValidationFailed:
    """Turn a pydantic error into a ``ValidationFailed`` that names the class and every field concerned."""
    details = [item for item in error.errors(include_url=False) if not _is_first_of_two(item)]
    problems = [_problem(cls, detail, field) for detail in details]
    text = "; ".join(
        f"{cls.__name__}.{name}: {message}" if message[0] != "!" else message[1:] for name, message in problems
    )
    first = details[0]
    failure = _kind_of_failure(first) if len(details) == 1 else ValidationFailed
    pairs = [(name, message.lstrip("!")) for name, message in problems]
    return failure(text, entity=cls.__name__, field=problems[0][0], value=first.get("input"), errors=pairs)


def _kind_of_failure(detail: Any) -> type[ValidationFailed]:
    if detail["type"] == "extra_forbidden":
        return ReadOnlyField if detail["loc"][0] in _DECIDED else UnknownField
    ours = detail.get("ctx", {}).get("error")
    return type(ours) if isinstance(ours, ValidationFailed) else ValidationFailed


def misspelt(cls: Any, name: Any, among: Iterable[str] = ()) -> UnknownField:
    """Say that a class has no such field, and which was meant."""
    known = list(among) or [*cls.__spec__.by_name, *cls.__spec__.relation_by_name]
    hint = did_you_mean(name, known)
    return UnknownField(f"{cls.__name__} has no field {name!r}{hint}", entity=cls.__name__, field=name)


def not_settable(cls: Any, name: str) -> ValidationFailed:
    """Say that a class has no such field, or that users do not set it."""
    if name not in _DECIDED:
        return misspelt(cls, name)
    text = f"{cls.__name__}.{name} is decided by the {'class' if name in ('kind', 'namespace') else 'store'}"
    return ReadOnlyField(f"{text} and cannot be set", entity=cls.__name__, field=name)


def _is_first_of_two(detail: Any) -> bool:
    """Tell whether the second way to give a foreign key says what is wrong with it."""
    return detail["type"] == "is_instance_of" and AS_INSTANCE in detail["loc"]


def _name_in(cls: Any, loc: tuple[Any, ...]) -> str:
    """Name what is wrong by its field, not by a synonym or a way to give it."""
    field, *inner = loc
    return ".".join(map(str, (cls.__synonyms__.get(field, field), *(part for part in inner if part != AS_LOCATION))))


def _problem(cls: Any, detail: Any, field: str | None) -> tuple[str, str]:
    name = field or _name_in(cls, detail["loc"])
    relation = cls.__spec__.relation_by_name.get(name)
    if relation is not None:
        return name, f"!{cls.__name__}.{name} is a collection: append to it when the {cls.__name__} is made"
    if detail["type"] == "extra_forbidden":
        return name, "!" + str(not_settable(cls, name))
    if detail["type"] == "value_error":
        return name, str(detail["ctx"]["error"])
    if detail["type"] == "string_pattern_mismatch":
        return name, f"{_short(detail['input'])} holds a NUL character, which a store cannot keep as text"
    if detail["type"] == "string_unicode":
        return name, f"{_short(detail['input'])} holds a lone surrogate, which is not text"
    return name, f"{_short(detail['input'])}: {detail['msg'][0].lower()}{detail['msg'][1:]}"


def _short(value: Any) -> str:
    text = ascii(value) if isinstance(value, str) else repr(value)
    return shortened(text)
