"""The one module that touches pydantic's private parts, so that a change there is met in one place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel
from pydantic._internal._model_construction import ModelMetaclass
from pydantic_core import SchemaValidator

__all__ = [
    "FORMER_METHODS", "FieldValidators", "ModelMetaclass", "fill_fast", "fill_values", "note_given",
    "schemas_of_fields", "set_fields_set", "set_private", "slot_setters", "without_default",
]  # fmt: skip


# What pydantic still has for programs of its first version; there are none that use it with these models.
FORMER_METHODS = frozenset(
    {
        "construct", "copy", "dict", "from_orm", "json", "parse_file", "parse_obj", "parse_raw", "schema",
        "schema_json", "update_forward_refs", "validate",
    }
)  # fmt: skip


class FieldValidators:
    """One validator per field of a class; built when the first is asked for."""

    def __get__(self, obj: Any, owner: type[Any]) -> dict[str, Any]:
        built = owner.__validators__ = _field_validators(owner)
        return built


def _field_validators(cls: type[Any]) -> dict[str, Any]:
    """Build one validator per field from the class's own schema."""
    fields = schemas_of_fields(cls)
    return {name: SchemaValidator(without_default(item["schema"])).validate_python for name, item in fields.items()}


def schemas_of_fields(cls: type[Any]) -> dict[str, Any]:
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
set_fields_set, set_private = slot_setters(BaseModel, "__pydantic_fields_set__", "__pydantic_private__")


def fill_fast(entity: Any, fields_set: set[str], private: dict[str, Any] | None = None) -> None:
    """Give an object made by ``object.__new__`` what pydantic expects of a validated model."""
    set_fields_set(entity, fields_set)
    set_private(entity, private and dict(private))


def note_given(entity: Any, name: str) -> None:
    """Take note that a field was set, too."""
    set_fields_set(entity, {*entity.__pydantic_fields_set__, name})


def without_default(schema: Any) -> Any:
    """Give the schema of a field that has none of its default."""
    return schema["schema"] if schema["type"] == "default" else schema
