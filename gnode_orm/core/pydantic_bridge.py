"""The one module that touches pydantic's private parts, so that a change there is met in one place."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from pydantic import BaseModel
from pydantic._internal._model_construction import ModelMetaclass
from pydantic_core import SchemaValidator, core_schema

__all__ = [
    "FORMER_METHODS", "Accept", "FieldValidators", "GivenValues", "ModelMetaclass", "fill_fast", "fill_values",
    "note_given", "set_of_given", "slot_setters",
]  # fmt: skip


# What pydantic still has for programs of its first version; there are none that use it with these models.
FORMER_METHODS = frozenset(
    {
        "construct", "copy", "dict", "from_orm", "json", "parse_file", "parse_obj", "parse_raw", "schema",
        "schema_json", "update_forward_refs", "validate",
    }
)  # fmt: skip


Accept = Callable[[dict[str, Any]], dict[str, Any]]
"""Gives what was given as it is kept.

Raises:
    ValidationError: everything that is wrong with it.
"""


class FieldValidators:
    """One validator per field of a class; built when the first is asked for."""

    def __get__(self, obj: Any, owner: type[Any]) -> dict[str, Any]:
        built = owner.__validators__ = _field_validators(owner)
        return built


class GivenValues:
    """The validator of what a new object is given; built when the first is made.

    It gives nothing for what was not given and reads as ``None`` or empty: of a dozen fields a few are set, and filling
    in the others takes as long as validating those. What an object keeps under a late name comes under it.
    """

    def __get__(self, obj: Any, owner: type[Any]) -> Accept:
        spec = owner.__spec__
        fields = {}
        for name, item in _fields_of(owner).items():
            value = item["schema"]
            required = value["type"] != "default"
            if name in spec.by_name and value.get("default", ...) in (None, {}):
                value = _without_default(value)
            of_field = core_schema.typed_dict_field(value, required=required, validation_alias=name)
            fields[spec.late_names.get(name, name)] = of_field
        schema = core_schema.typed_dict_schema(fields, extra_behavior="forbid", total=False)
        accept: Accept = SchemaValidator(schema).validate_python
        owner.__accept__ = accept
        return accept


def _field_validators(cls: type[Any]) -> dict[str, Any]:
    """Build one validator per field from the class's own schema."""
    fields = _fields_of(cls)
    return {name: SchemaValidator(_without_default(item["schema"])).validate_python for name, item in fields.items()}


def _fields_of(cls: type[Any]) -> dict[str, Any]:
    """Give the schemas of the fields of a class.

    Raises:
        TypeError: the schema has another shape than expected; every model of the package is checked by the tests.
    """
    cls.model_rebuild()
    schema: Any = cls.__pydantic_core_schema__
    while schema["type"] != "model-fields":
        if "schema" not in schema:
            raise TypeError(f"{cls.__name__}: its pydantic schema has no fields (found {schema['type']!r})")
        schema = schema["schema"]
    fields: dict[str, Any] = schema["fields"]
    return fields


def slot_setters(cls: type[Any], *names: str) -> tuple[Callable[[Any, Any], None], ...]:
    """Give the functions that set slots of a class.

    ``object.__setattr__`` looks through every base first, which takes twice as long and is felt where many instances
    are made.
    """
    return tuple(vars(cls)[name].__set__ for name in names)


fill_values = vars(BaseModel)["__dict__"].__set__
_set_fields_set, _set_extra, _set_private = slot_setters(
    BaseModel, "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__"
)


def fill_fast(entity: Any, fields_set: set[str], private: dict[str, Any] | None = None) -> None:
    """Give an object made by ``object.__new__`` what pydantic expects of a validated model."""
    _set_fields_set(entity, fields_set)
    _set_extra(entity, None)
    _set_private(entity, private and dict(private))


@lru_cache(maxsize=4096)
def set_of_given(names: tuple[str, ...]) -> set[str]:
    """Give the set of the fields that were given, which objects share: it is larger than their values."""
    return set(names)


def note_given(entity: Any, name: str) -> None:
    """Take note that a field was set, too."""
    _set_fields_set(entity, {*entity.__pydantic_fields_set__, name})


def _without_default(schema: Any) -> Any:
    return schema["schema"] if schema["type"] == "default" else schema
