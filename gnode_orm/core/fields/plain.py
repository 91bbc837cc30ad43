"""Plain fields: text, numbers, booleans, dates and times."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar, get_args, overload

from pydantic import Field
from pydantic_core import core_schema

from gnode_orm.core.schema import FieldType

if TYPE_CHECKING:
    from gnode_orm.core.entity import Entity
    from gnode_orm.core.expressions import Column

T = TypeVar("T")

_NO_NUL = r"^[^\x00]*$"  # PostgreSQL cannot keep NUL in text
_INT64 = {"ge": -(2**63), "le": 2**63 - 1}


def field(*, default: Any, kw_only: bool = True, description: str = "") -> Any:
    """Declare a plain field, a quantity or an array. ``kw_only=False`` lets it be given by position.

    The default stands at each declaration, since that is where type checkers look for it.
    """
    return Field(default=default, description=description or None, kw_only=kw_only)


class Mapped(Generic[T]):
    """A plain field: text, number, boolean or time."""

    if TYPE_CHECKING:

        @overload
        def __get__(self, obj: None, owner: Any) -> Column[T]: ...
        @overload
        def __get__(self, obj: Entity, owner: Any) -> T: ...
        def __get__(self, obj: Any, owner: Any) -> Any: ...
        def __set__(self, obj: Any, value: T) -> None: ...

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        schema: core_schema.CoreSchema = _narrowed(handler(get_args(source)[0]))
        return schema

    @staticmethod
    def field_type(annotation: Any) -> FieldType:
        """Give the field type that an annotation ``Mapped[...]`` stands for."""
        arguments = get_args(get_args(annotation)[0]) or (get_args(annotation)[0],)
        for python_type, field_type in _PLAIN_TYPES:
            if python_type in arguments:
                return field_type
        raise TypeError(f"{annotation} cannot be kept in a store")


_PLAIN_TYPES = (
    (bool, FieldType.BOOLEAN),
    (str, FieldType.TEXT),
    (int, FieldType.INTEGER),
    (datetime, FieldType.DATETIME),
    (date, FieldType.DATE),
)


def _narrowed(schema: Any) -> Any:
    """Narrow text and integers to what every store can keep."""
    if schema["type"] == "nullable":
        return {**schema, "schema": _narrowed(schema["schema"])}
    if schema["type"] == "str":
        return {**schema, "pattern": _NO_NUL}
    return {**schema, **_INT64} if schema["type"] == "int" and "ge" not in schema else schema
