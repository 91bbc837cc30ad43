"""Nested dictionaries as fields: annotations, which users edit, and what the 18 kinds cannot hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, overload

import orjson
from pydantic import Field
from pydantic_core import core_schema

from gnode_orm.core.annotations import AnnotationDict, plain
from gnode_orm.core.typed_json import encode
from gnode_orm.errors import ReadOnlyField, ValidationFailed

if TYPE_CHECKING:
    from gnode_orm.core.entity import Entity
    from gnode_orm.core.expressions import JsonColumn


class _Document:
    """What the two kinds of JSON field share: a dictionary, checked and frozen or watched by ``accept``."""

    @classmethod
    def accept(cls, value: Any) -> dict[str, Any]:
        """Take a dictionary that can be stored."""
        raise NotImplementedError

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(cls.accept, serialization=_as_json())

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "object", "default": {}}


class Annotations(_Document):
    """A nested dictionary; value types are kept and edits at any depth are tracked."""

    if TYPE_CHECKING:

        @overload
        def __get__(self, obj: None, owner: Any) -> JsonColumn: ...
        @overload
        def __get__(self, obj: Entity, owner: Any) -> dict[str, Any]: ...
        def __get__(self, obj: Any, owner: Any) -> Any: ...
        def __set__(self, obj: Any, value: Mapping[str, Any] | None) -> None: ...

    @classmethod
    def accept(cls, value: Any) -> AnnotationDict:
        """Copy a dictionary that can be stored; ``None`` stands for an empty one."""
        return AnnotationDict(_storable(value))


class ReadOnlyDict(dict[str, Any]):
    """A dictionary that users read and the package writes."""

    __slots__ = ()

    if not TYPE_CHECKING:

        def _refuse(self, *args: Any, **values: Any) -> Any:
            raise ReadOnlyField("ext is kept by the package and cannot be edited", field="ext")

        __setitem__ = __delitem__ = update = setdefault = pop = popitem = clear = __ior__ = _refuse

    # Hashable by identity, so that pydantic shares the empty default instead of copying it for each object.
    __hash__ = object.__hash__  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return ReadOnlyDict, (dict(self),)


_NO_EXTENSION = ReadOnlyDict()


def extension(*, default: None) -> Any:
    """Declare the field ``ext``, which is empty by default."""
    return Field(default=_NO_EXTENSION)


class Extension(_Document):
    """What the 18 kinds cannot hold; written by converters, read-only for users."""

    if TYPE_CHECKING:

        @overload
        def __get__(self, obj: None, owner: Any) -> JsonColumn: ...
        @overload
        def __get__(self, obj: Entity, owner: Any) -> Mapping[str, Any]: ...
        def __get__(self, obj: Any, owner: Any) -> Any: ...
        def __set__(self, obj: Any, value: Mapping[str, Any] | None) -> None: ...

    @classmethod
    def accept(cls, value: Any) -> ReadOnlyDict:
        """Freeze a copy of a dictionary that can be stored."""
        return ReadOnlyDict(plain(_storable(value)))


def _storable(value: Any) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ValidationFailed(f"{value!r} is not a dictionary", value=value)
    encode(value)
    return value


def _as_json() -> Any:
    return core_schema.plain_serializer_function_ser_schema(lambda value: orjson.loads(encode(value)), when_used="json")
