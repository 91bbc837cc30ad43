"""The one module that touches pydantic's private parts, so that a change there is met in one place."""

from __future__ import annotations

from typing import Any

from pydantic._internal._model_construction import ModelMetaclass
from pydantic_core import SchemaValidator

__all__ = ["ModelMetaclass", "field_validators", "fill_fast"]


def field_validators(cls: type[Any]) -> dict[str, Any]:
    """Build one validator per field from the class's own schema, for validated assignment.

    Raises:
        TypeError: the schema has another shape than expected; every model of the package is checked by the tests.
    """
    schema: Any = cls.__pydantic_core_schema__
    while schema["type"] != "model-fields":
        if "schema" not in schema:
            raise TypeError(f"{cls.__name__}: its pydantic schema has no fields (found {schema['type']!r})")
        schema = schema["schema"]
    fields = schema["fields"]
    return {name: SchemaValidator(_without_default(item["schema"])).validate_python for name, item in fields.items()}


def fill_fast(entity: Any, fields_set: set[str]) -> None:
    """Give an object made by ``object.__new__`` what pydantic expects of a validated model."""
    object.__setattr__(entity, "__pydantic_fields_set__", fields_set)
    object.__setattr__(entity, "__pydantic_extra__", None)
    object.__setattr__(entity, "__pydantic_private__", None)


def _without_default(schema: Any) -> Any:
    return schema["schema"] if schema["type"] == "default" else schema
