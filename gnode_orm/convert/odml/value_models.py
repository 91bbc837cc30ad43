"""The values of an odML property as ``Value`` models, each with the unit and uncertainty of the property."""

from __future__ import annotations

from typing import Any

from gnode_orm.convert.odml.attributes import EXT_VERSION, VALUE_FIELDS, plain, with_exact
from gnode_orm.convert.odml.losses import Losses
from gnode_orm.convert.odml.paths import Path
from gnode_orm.convert.odml.property_content import Content, contents
from gnode_orm.convert.odml.value_text import read_value, same, write_value
from gnode_orm.errors import ValidationFailed
from gnode_orm.models.metadata import Property, Value


def ext_of_values(native: Any, ext: dict[str, Any]) -> dict[str, Any]:
    """Add to ``ext`` what the values of a property cannot hold: the dtype, and the unit where there is no value."""
    out = {key: item for key, item in ext.items() if key not in VALUE_FIELDS and key != "dtype"}
    if native._dtype is not None or native._values:
        out["dtype"] = native._dtype
    for field, attribute in VALUE_FIELDS.items():
        value = getattr(native, attribute)
        if native._values:
            with_exact(out, field, value)
        else:
            with_exact(out, field, None)
            out.update({} if value is None else {field: value})
    return out


def put_values(model: Property, native: Any, path: Path, *, new: bool) -> list[Value]:
    """Make or update the values of a property; give those that are no longer there.

    Raises:
        ValidationFailed: a value that text and ``ext`` cannot hold; the model's values disagree, so that no odML
            property stands for them.
    """
    if new:
        shared = {field: plain(field, getattr(native, attribute)) for field, attribute in VALUE_FIELDS.items()}
        for number, value in enumerate(native._values):
            _new_value(model, native, number, value, shared, path)
        return []
    (content,) = contents(model, path, Losses(strict=True))
    removed = _update_data(model, native, content, path)
    _update_attributes(model, native, content)
    return removed


def _new_value(model: Property, native: Any, number: int, value: Any, shared: dict[str, Any], path: Path) -> None:
    try:
        text, ext = _data(value, native._dtype)
        Value(text, property=model, ext=ext, **shared)
    except ValidationFailed as error:
        raise _at_value(error, path, number, value) from None
    except ValueError as error:
        raise _at_value(ValidationFailed(f"Value.data: {error}", field="data"), path, number, value) from None


def _data(value: Any, dtype: str | None) -> tuple[str | None, dict[str, Any]]:
    """Give the text of a value, and in ``ext`` the value itself where the text does not say it exactly."""
    text = write_value(value)
    try:
        exact = same(read_value(text, dtype), value)
    except (ValueError, OverflowError):
        exact = False
    return text, {} if exact else {"v": EXT_VERSION, "data": value}


def _update_data(model: Property, native: Any, content: Content, path: Path) -> list[Value]:
    values = list(model.values)
    for number, value in enumerate(native._values):
        if number >= len(values):
            _new_value(model, native, number, value, {}, path)
        elif not same(content.values[number], value):
            text, ext = _data(value, native._dtype)
            values[number].data = text
            kept = {key: item for key, item in values[number].ext.items() if key not in ("data", "v")}
            values[number]._set_ext({**kept, "v": EXT_VERSION, **ext} if kept or ext else {})
    removed = values[len(native._values) :]
    for gone in removed:
        gone.property = None
    return removed


def _update_attributes(model: Property, native: Any, content: Content) -> None:
    """Give every value the unit and so on of the property, where the property says something new."""
    ext = dict(model.ext)
    values = list(model.values)
    for field, attribute in VALUE_FIELDS.items():
        value = getattr(native, attribute)
        text = plain(field, value)
        ext.pop(field, None)
        if not same(content.attributes[field], value):
            with_exact(ext, field, value if values else None)
        changed = not same(plain(field, content.attributes[field]), text)
        for member in values:
            if (changed or member.data is not None) and not same(getattr(member, field), text):
                setattr(member, field, text)
        if not values and value is not None:
            ext[field] = value
    _update_dtype(native, values, content, ext)
    if ext != dict(model.ext):
        model._set_ext({**ext, "v": EXT_VERSION})


def _update_dtype(native: Any, values: list[Value], content: Content, ext: dict[str, Any]) -> None:
    if same(native._dtype, content.dtype) and (values or "dtype" in ext or native._dtype is None):
        return
    ext["dtype"] = native._dtype
    for member in values:
        if "dtype" in member.ext:
            kept = {key: item for key, item in member.ext.items() if key != "dtype"}
            member._set_ext(kept if kept.keys() - {"v"} else {})


def _at_value(error: ValidationFailed, path: Path, number: int, value: Any) -> ValidationFailed:
    return ValidationFailed(
        f"{path.to('values', number)}: {error}; change it in the odML object",
        entity="Value",
        field=error.field or "data",
        value=value,
        errors=error.errors,
    )
