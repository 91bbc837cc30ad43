"""The values of a property as odML 1.1 sees them: one dtype, unit, uncertainty, reference and origin for all.

Our values have each their own, as in odML 1.0. Where they agree, the property says it for all of them. Empty values
(``data`` is ``None``) say nothing about the others. Where they disagree, an exact odml object is refused, since it
would give some values a false unit; a file gets one property for each group of values that agree.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any

from gnode_orm.convert.odml.attributes import VALUE_FIELDS, stated
from gnode_orm.convert.odml.losses import Losses
from gnode_orm.convert.odml.paths import Path
from gnode_orm.convert.odml.value_text import read_value, same, write_value
from gnode_orm.core.shortened import brief
from gnode_orm.models.metadata import Property, Value

_DTYPE = re.compile(r"string|str|text|int|float|url|datetime|date|time|boolean|bool|person|[1-9][0-9]*-tuple")
_NO_PLACE = ("definition", "encoder", "checksum")


@dataclass
class Content:
    """What one odml property says of its values; ``attributes`` by the names of ``Value``'s fields.

    ``texts`` has the values as the models hold them; ``typed`` is whether the models name the dtype.
    """

    dtype: str | None
    attributes: dict[str, Any]
    values: list[Any]
    texts: list[str | None] = dataclass_field(default_factory=list)
    typed: bool = True


def contents(model: Property, path: Path, losses: Losses) -> list[Content]:
    """Give what the odml property, or where values disagree the odml properties, of a model say.

    Raises:
        ValidationFailed: strict, and values disagree or are not of the dtype.
    """
    values = list(enumerate(model.values))
    if not losses.strict:
        values = [(number, value) for number, value in values if not _left_out(number, value, path, losses)]
    if not values:
        attributes = {field: model.ext.get(field) for field in VALUE_FIELDS}
        return [Content(_file_dtype(model.ext.get("dtype"), path, losses), attributes, [])]
    groups = _groups(model, values)
    if len(groups) > 1:
        _refuse_disagreement(list(groups), path, losses)
    elif losses.strict:
        groups = {next(iter(groups)): values}
    return [_content(model, key, members, path, losses) for key, members in groups.items()]


def _left_out(number: int, value: Value, path: Path, losses: Losses) -> bool:
    for field in _NO_PLACE:
        if getattr(value, field) is not None:
            losses.mention(path.to("values", number), f"Value.{field}: odML 1.1 has no place for it")
    if value.data is None:
        losses.mention(path.to("values", number), "Value.data: an empty value was left out")
    return value.data is None


def _groups(model: Property, values: list[tuple[int, Value]]) -> dict[tuple[Any, ...], list[tuple[int, Value]]]:
    """Put values that say the same together, in order of first appearance."""
    speaking = [item for item in values if item[1].data is not None] or values
    groups: dict[tuple[Any, ...], list[tuple[int, Value]]] = {}
    for number, value in speaking:
        key = (value.ext.get("dtype", model.ext.get("dtype", "string")), *(getattr(value, f) for f in VALUE_FIELDS))
        groups.setdefault(key, []).append((number, value))
    return groups


def _refuse_disagreement(keys: list[tuple[Any, ...]], path: Path, losses: Losses) -> None:
    names = ("dtype", *VALUE_FIELDS)
    for name, said in zip(names, (list(dict.fromkeys(column)) for column in zip(*keys, strict=True)), strict=True):
        if len(said) > 1:
            losses.refuse(
                path,
                "Value",
                name,
                said,
                f"the values say {', '.join(map(repr, said))}, but an odML property has one {name} for all its "
                "values; make them equal, or move the values into properties of their own",
                "values that differ in it were put into properties of their own",
            )


def _content(
    model: Property, key: tuple[Any, ...], members: list[tuple[int, Value]], path: Path, losses: Losses
) -> Content:
    dtype = _file_dtype(key[0], path, losses)
    attributes = {field: stated(field, text, model.ext) for field, text in zip(VALUE_FIELDS, key[1:], strict=True)}
    texts = [value.data for _, value in members]
    typed = "dtype" in model.ext or any("dtype" in value.ext for _, value in members)
    try:
        values = [_native_value(number, value, dtype, path, losses) for number, value in members]
    except _NotOfDtype:
        return Content("string", attributes, texts, texts)
    return Content(dtype, attributes, values, texts, typed)


def _file_dtype(dtype: str | None, path: Path, losses: Losses) -> str | None:
    """Give the dtype; in a file one that odML 1.1 knows, since the library drops values of any other."""
    if losses.strict or dtype is None or _DTYPE.fullmatch(dtype.lower()):
        return dtype
    losses.mention(path, f"Property.dtype: odML 1.1 has no dtype {dtype!r}; it was written as text")
    return "text"


class _NotOfDtype(Exception):
    """A text cannot be read by its dtype, and the losses are not strict."""


def _native_value(number: int, value: Value, dtype: str | None, path: Path, losses: Losses) -> Any:
    if "data" in value.ext and same(write_value(value.ext["data"]), value.data):
        return value.ext["data"]
    try:
        return read_value(value.data, dtype)
    except (ValueError, OverflowError):
        losses.refuse(
            path.to("values", number),
            "Value",
            "data",
            value.data,
            f"{brief(value.data)} is not of dtype {dtype!r}; correct the text, or give the property another dtype",
            f"text that is not of dtype {dtype!r}: the property was written as text",
        )
        raise _NotOfDtype from None
