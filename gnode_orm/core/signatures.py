"""What a class says it can be made from: for ``help`` and for editors that ask the running program."""

from __future__ import annotations

from inspect import Parameter, Signature
from typing import Any

from gnode_orm.core.schema import SCHEMA, FieldSpec, FieldType

_WORDS = {
    FieldType.TEXT: "str",
    FieldType.INTEGER: "int",
    FieldType.BOOLEAN: "bool",
    FieldType.DATE: "date",
    FieldType.DATETIME: "datetime",
    FieldType.QUANTITY: "Quantity",
    FieldType.ARRAY: "array",
    FieldType.JSON: "dict",
    FieldType.NUMBERS: "float",
}


class _Word(str):
    """An annotation that is shown as it stands, without quotation marks."""

    __slots__ = ()

    __repr__ = str.__str__


def signature_of(cls: Any) -> Signature:
    """Give the fields of a class as parameters, each with its type in a word; the first may be given by position."""
    names = [cls.__positional__, *(name for name in cls.model_fields if name not in (cls.__positional__, "ext"))]
    return Signature([_parameter(cls, cls.__spec__.by_name[name]) for name in names])


def _parameter(cls: Any, spec: FieldSpec) -> Parameter:
    first = spec.name == cls.__positional__
    kind = Parameter.POSITIONAL_OR_KEYWORD if first else Parameter.KEYWORD_ONLY
    default = cls.model_fields[spec.name].get_default(call_default_factory=True, validated_data={})
    word = _WORDS[spec.type] if spec.target is None else SCHEMA[spec.target].class_name
    return Parameter(spec.name, kind, default=default, annotation=_Word(word))
