"""Foreign keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar, overload

from pydantic import Field
from pydantic_core import core_schema

from gnode_orm.errors import ValidationFailed
from gnode_orm.location import Location

if TYPE_CHECKING:
    from gnode_orm.core.entity import Entity

E = TypeVar("E", bound="Entity")

DECLARED: dict[str, Any] = {}
"""The declared class of each kind."""

# The two ways to give a foreign key, as pydantic's errors name them; no field has such a name.
AS_INSTANCE, AS_LOCATION = "~instance", "~location"


class Ref(Generic[E]):
    """A foreign key: accepts an instance, a ``Location`` or its text; reads as the instance, loaded at first use."""

    if TYPE_CHECKING:

        @overload
        def __get__(self, obj: None, owner: Any) -> type[E]: ...
        @overload
        def __get__(self, obj: Entity, owner: Any) -> E | None: ...
        def __get__(self, obj: Any, owner: Any) -> Any: ...
        def __set__(self, obj: Any, value: E | str | None) -> None: ...

    if not TYPE_CHECKING:
        # Named by text, so that models of different modules can refer to each other.
        def __class_getitem__(cls, target: str) -> Any:
            return Annotated[Any, ReferenceRule(target.lower())]


def ref(related: str = "", *, default: None) -> Any:
    """Declare a foreign key; ``related`` names the collection on the parent's side, where there is one."""
    return Field(default=default, json_schema_extra={"related": related})


class ReferenceRule:
    """Validates the values of one foreign key."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        # The declared class itself is looked at first, without a call of Python.
        choices: list[Any] = [
            (core_schema.is_instance_schema(DECLARED[self.kind]), AS_INSTANCE),
            (core_schema.no_info_plain_validator_function(self.accept), AS_LOCATION),
        ]
        return core_schema.nullable_schema(
            core_schema.union_schema(choices, mode="left_to_right"),
            serialization=core_schema.plain_serializer_function_ser_schema(_location_of, when_used="json"),
        )

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        text = {"type": "string", "description": f"Location of a {self.kind}"}
        return {"anyOf": [text, {"type": "null"}], "default": None}

    def accept(self, value: Any) -> Any:
        """Give an instance of the kind, or a location of the kind."""
        if isinstance(value, str):
            return self._location(value)
        # A class has a kind too; only its instances are objects.
        if getattr(value, "kind", None) == self.kind and not isinstance(value, type):
            return value
        raise ValidationFailed(
            f"{value!r} is neither a {self.kind} nor the location of one; no object is made from it", value=value
        )

    def _location(self, text: str) -> Location:
        location = Location(text)
        if location.kind != self.kind:
            raise ValidationFailed(
                f"{text!r} is the location of a {location.kind}; a {self.kind} is needed", value=text
            )
        return location


def _location_of(value: Any) -> Any:
    return value if value is None or isinstance(value, str) else value.location
