"""The one module that touches pydantic's private parts, so that a change there is met in one place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel
from pydantic._internal._model_construction import ModelMetaclass
from pydantic_core import SchemaValidator

__all__ = ["FORMER_METHODS", "FieldValidators", "ModelMetaclass", "fill_fast", "slot_setters"]


# What pydantic still has for programs of its first version; there are none that use it with these models.
FORMER_METHODS = frozenset(
    {
        "construct", "copy", "dict", "from_orm", "json", "parse_file", "parse_obj", "parse_raw", "schema",
        "schema_json", "update_forward_refs", "validate",
    }
)  # fmt: skip


class FieldValidators:
    """One validator per field of a class, for validated assignment; built when the first is asked for.

    ``ext`` has none, since users do not set it.
    """

    def __get__(self, obj: Any, owner: type[Any]) -> dict[str, Any]:
        built = {name: check for name, check in _field_validators(owner).items() if name != "ext"}
        if "__spec__" in vars(owner):  # kept on a base, they would be found by every class below it
            owner.__validators__ = built
        return built


def _field_validators(cls: type[Any]) -> dict[str, Any]:
    """Build one validator per field from the class's own schema.

    Raises:
        TypeError: the schema has another shape than expected; every model of the package is checked by the tests.
    """
    cls.model_rebuild()
    schema: Any = cls.__pydantic_core_schema__
    while schema["type"] != "model-fields":
        if "schema" not in schema:
            raise TypeError(f"{cls.__name__}: its pydantic schema has no fields (found {schema['type']!r})")
        schema = schema["schema"]
    fields = schema["fields"]
    return {name: SchemaValidator(_without_default(item["schema"])).validate_python for name, item in fields.items()}


def slot_setters(cls: type[Any], *names: str) -> tuple[Callable[[Any, Any], None], ...]:
    """Give the functions that set slots of a class.

    ``object.__setattr__`` looks through every base first, which takes twice as long and is felt where many instances
    are made.
    """
    return tuple(vars(cls)[name].__set__ for name in names)


_set_fields_set, _set_extra, _set_private = slot_setters(
    BaseModel, "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__"
)


def fill_fast(entity: Any, fields_set: set[str]) -> None:
    """Give an object made by ``object.__new__`` what pydantic expects of a validated model."""
    _set_fields_set(entity, fields_set)
    _set_extra(entity, None)
    _set_private(entity, None)


def _without_default(schema: Any) -> Any:
    return schema["schema"] if schema["type"] == "default" else schema
