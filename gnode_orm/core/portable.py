"""Copies, pickles and dumps of an entity. All of them are transient: no session, no location."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

import orjson
from pydantic import (
    ModelWrapValidatorHandler,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from gnode_orm.core.expressions import META_FIELDS
from gnode_orm.core.pydantic_bridge import fill_fast, fill_values
from gnode_orm.core.references import Referring
from gnode_orm.core.schema import FieldType
from gnode_orm.core.tracked import fill_slots, set_collections, set_state
from gnode_orm.errors import ValidationFailed
from gnode_orm.location import Location


class Portable(Referring):
    """An entity that can be copied, pickled, dumped and read back."""

    def _twin(self) -> Self:
        """Make a transient copy; foreign keys point to the same parents, who do not learn of it."""
        twin = object.__new__(type(self))
        fill_fast(twin, set(self.__pydantic_fields_set__), self.__pydantic_private__)
        fill_slots(twin)
        twin._take(self._values() | self._own_values())
        return twin

    def _take(self, values: Mapping[str, Any]) -> None:
        """Take over validated values."""
        for name, value in values.items():
            if isinstance(value, Location) and name in type(self).__references__:
                self._put_location(name, value)
            else:
                vars(self)[name] = self._watched(name, value)

    def __copy__(self) -> Self:
        return self._twin()

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        twin = self._twin()
        if memo is not None:
            memo[id(self)] = twin
        return twin

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Copy as a transient object; ``update`` is validated."""
        twin = self._twin()
        for name, value in (update or {}).items():
            setattr(twin, name, value)
        return twin

    @property
    def model_fields_set(self) -> set[str]:
        """The fields that were given or set; a copy, since objects share it."""
        return set(self.__pydantic_fields_set__)

    def __getstate__(self) -> dict[Any, Any]:
        values = self._values() | self._own_values()
        columns = {}
        for spec in type(self).__spec__.fields:
            if spec.type is FieldType.REF:
                # A stored parent is named; one that is not stored yet has to come along.
                values[spec.name] = self.ref(spec.name) or values[spec.name]
            elif spec.type is FieldType.QUANTITY:
                # NumPy's own pickles of quantities forget the order of bytes, and that they are read-only.
                del values[spec.name]
                columns[spec.late_name] = self._columns(spec.name)
        return {
            "values": values, "columns": columns, "set": set(self.__pydantic_fields_set__),
            "private": self.__pydantic_private__,
        }  # fmt: skip

    def __setstate__(self, kept: dict[Any, Any]) -> None:
        fill_fast(self, kept["set"], kept["private"])
        fill_slots(self)
        self._take(kept["values"])
        vars(self).update(kept["columns"])
        self._first_references(self.__spec__.ways_up)  # parents that came along have it in their collections

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Self:
        """Validate a dictionary, such as ``model_dump`` gives, into a transient object.

        Raises:
            ValidationFailed: it is no dictionary, or a value in it is refused; ``errors`` has each.
        """
        if isinstance(obj, Mapping):
            return cls(**_without_meta(obj))
        if isinstance(obj, cls):
            return obj
        raise ValidationFailed(f"{cls.__name__}: {obj!r} is not a dictionary of fields", entity=cls.__name__, value=obj)

    @model_validator(mode="wrap")
    @classmethod
    def _validated(cls, obj: Any, make: ModelWrapValidatorHandler[Self]) -> Self:
        """Validate what was dumped inside another model, too."""
        return make(_without_meta(obj) if isinstance(obj, Mapping) else obj)

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **options: Any) -> Self:
        """Validate JSON text of a dictionary of fields into a transient object.

        Raises:
            ValidationFailed: the text is not JSON, or a value in it is refused.
        """
        try:
            return cls.model_validate(orjson.loads(json_data))
        except orjson.JSONDecodeError as error:
            raise ValidationFailed(f"{cls.__name__}: the text is not JSON ({error})", entity=cls.__name__) from None

    @classmethod
    def model_construct(cls, _fields_set: set[str] | None = None, **values: Any) -> Self:
        """Make an object like the constructor does: a value that was never validated could not be stored."""
        return cls(**values)

    def model_dump(self, **options: Any) -> dict[str, Any]:
        """Give the fields as a dictionary: foreign keys as locations, for ``mode="json"`` arrays as descriptors."""
        self._values()  # where they cannot be read, pydantic would hide why
        return super().model_dump(**options)

    # What it gives is said by the fields: a type here would stand in the JSON schema instead of them.
    @model_serializer(mode="wrap")
    def _dumped(self, dump: SerializerFunctionWrapHandler, info: SerializationInfo):  # type: ignore[no-untyped-def]
        """Dump every field, also inside another model: pydantic knows of those alone that were given or read."""
        head: dict[str, Any] = {
            name: getattr(self, name) for name in META_FIELDS
            if (info.include is None or name in info.include) and name not in (info.exclude or ())
        }  # fmt: skip
        if info.exclude_none or info.exclude_unset or info.exclude_defaults:
            head = {key: value for key, value in head.items() if value is not None}
        if info.mode == "json":
            head = {key: value.isoformat() if isinstance(value, datetime) else value for key, value in head.items()}
        values = self._values() | {name: self.ref(name) for name in type(self).__references__} | self._own_values()
        if info.exclude_defaults:  # no annotations are the default, too
            values.update((name, None) for name in type(self).__spec__.documents if not values[name])
        whole = object.__new__(type(self))
        fill_fast(whole, self.__pydantic_fields_set__, self.__pydantic_private__)
        set_state(whole, self._state)  # for what a class below a kind computes
        set_collections(whole, self._collections)
        fill_values(whole, values)
        return {**head, **dump(whole)}

    def model_dump_json(self, **options: Any) -> str:
        """Give ``model_dump(mode="json")`` as text."""
        self._values()
        return super().model_dump_json(**options)


def _without_meta(values: Mapping[Any, Any]) -> dict[Any, Any]:
    """Leave out what the store decides: what is read back is a new object."""
    return {key: value for key, value in values.items() if key not in META_FIELDS}
