"""What new objects are given: which fields, by which validator, and below which parents they are hung.

All of this follows from the names alone. Programs make their objects in a few places, so it is worked out once for the
names that are given together, and making an object takes no longer than its values do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from pydantic_core import SchemaValidator, core_schema

from gnode_orm.core.pydantic_bridge import schemas_of_fields, without_default

Accept = Callable[[dict[str, Any]], dict[str, Any]]
"""Gives what was given as it is kept.

Raises:
    ValidationError: everything that is wrong with it.
"""

# Those who make up names as they go shall not fill memory with them.
_KEEP = 256


class Given(NamedTuple):
    """What is the same for all new objects of a class that are given values by the same names.

    Attributes:
        accept: their validator. It gives nothing for what was not given and reads as ``None`` or empty: of a dozen
            fields a few are set, and filling in the others takes as long as validating those. What an object keeps
            under a late name comes under it.
        fields: the names of the fields, which objects share: the set is larger than their values.
        parents: the ways up among them.
    """

    accept: Accept
    fields: set[str]
    parents: tuple[tuple[str, str, str | None], ...]


class GivenNames(dict[tuple[str, ...], Given]):
    """What is known of the new objects of one class, by the names of what they are given."""

    def __init__(self, owner: Any) -> None:
        super().__init__()
        self._owner = owner

    def __missing__(self, names: tuple[str, ...]) -> Given:
        owner = self._owner
        named = {owner.__synonyms__.get(name, name): name for name in names}
        if len(named) < len(names):
            synonym, name = next(pair for pair in owner.__synonyms__.items() if pair[0] in names and pair[1] in names)
            raise TypeError(f"{owner.__name__} takes {name} or {synonym}, two names of one field")
        parents = tuple(way for way in owner.__spec__.ways_up if way[0] in named)
        given = Given(_validator(owner, named), set(named), parents)
        if len(self) >= _KEEP:
            self.clear()
        self[names] = given
        return given


def _validator(owner: Any, named: dict[str, str]) -> Accept:
    spec = owner.__spec__
    fields = {}
    for name, item in schemas_of_fields(owner).items():
        value = item["schema"]
        required = value["type"] != "default"
        if name in spec.by_name and value.get("default", ...) in (None, {}):
            if name not in named:
                continue
            value = without_default(value)
        alias = named.get(name, name)
        of_field = core_schema.typed_dict_field(value, required=required, validation_alias=alias)
        fields[spec.late_names.get(name, name)] = of_field
    extra: core_schema.ExtraBehavior = "ignore" if owner.model_fields.keys() >= named.keys() else "forbid"
    schema = core_schema.typed_dict_schema(fields, extra_behavior=extra, total=False)
    accept: Accept = SchemaValidator(schema).validate_python
    return accept
