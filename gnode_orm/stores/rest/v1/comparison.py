"""One comparison as queries of API v1: the foreign keys of its path, then what stands at their end."""

from __future__ import annotations

import re
from typing import Any, NoReturn

from gnode_orm.core.schema import SCHEMA, FieldSpec, FieldType
from gnode_orm.core.select import Attr, Comparison
from gnode_orm.errors import QueryError, did_you_mean
from gnode_orm.ids import decode_id, encode_id
from gnode_orm.location import Location
from gnode_orm.stores.rest.v1.fields import ServerFields
from gnode_orm.stores.rest.v1.plain_field import EVERYTHING, NOTHING, PlainField, Query
from gnode_orm.stores.rest.v1.unsupported import unsupported
from gnode_orm.wire.kinds import wire_kind

_META = {"date_created": FieldSpec("date_created", FieldType.DATETIME), "owner": FieldSpec("owner", FieldType.TEXT)}


class FieldComparison:
    """One comparison of the field at the end of a path."""

    def __init__(self, fields: ServerFields, target: str, kind: str, node: Comparison) -> None:
        self._fields = fields
        self._target = target
        self._node = node
        self._kind = kind
        self._sure: Query = {}
        """What has to hold besides, for the path to mean what it means here."""
        self._steps: list[str] = []
        self._walk(node.attr)

    def _walk(self, attr: Attr) -> None:
        """Follow the foreign keys of the path; the server ignores names that it does not know."""
        *through, last = attr.path
        for name in through:
            field = self._reference(name)
            self._step(name)
            self._kind = field.target or ""
        self._last = last
        if attr.keys:
            self._check_keys(last)

    def _check_keys(self, name: str) -> None:
        field = SCHEMA[self._kind].by_name.get(name)
        if field is None or field.type is not FieldType.JSON:
            raise QueryError(f"{self._node.attr}: only annotations have keys", field=name)
        self._refuse(f"conditions on {self._node.attr}", "it keeps no annotations")

    def _reference(self, name: str) -> FieldSpec:
        field = SCHEMA[self._kind].by_name.get(name)
        if field is None or field.type is not FieldType.REF:
            raise QueryError(f"{SCHEMA[self._kind].class_name}.{name} is not a foreign key", field=name)
        self._check_known(name)
        return field

    def _step(self, name: str) -> None:
        if (self._kind, name) == ("section", "document"):
            # The protocol names the document of the whole tree at every section; here the top ones alone have it.
            self._sure["__".join([*self._steps, "section__isnull"])] = "True"
        self._steps.append(name)

    def _check_known(self, name: str) -> None:
        if not self._fields.has(self._kind, name):
            self._refuse(f"conditions on {SCHEMA[self._kind].class_name}.{name}", "it keeps no such field")

    def _refuse(self, what: str, instead: str) -> NoReturn:
        raise unsupported(self._target, what, instead)

    def queries(self, turned: bool) -> list[Query]:
        """Give the queries, of the opposite where ``turned``."""
        found = self._compared(turned)
        if self._sure and (turned or self._node.operator in ("ne", "is_null")):
            self._refuse(f"what has no {self._node.attr}, or another", "ask for what has it")
        return [{**query, **self._sure} for query in found]

    def _compared(self, turned: bool) -> list[Query]:
        operator, value, name = self._node.operator, self._node.value, self._last
        if name in ("id", "location", "guid"):
            return self._identity(name, operator, value, turned)
        field = _META.get(name) or SCHEMA[self._kind].by_name.get(name)
        if name == "modified":
            self._refuse("when an object was changed", "ask by date_created")
        if field is None:
            spec = SCHEMA[self._kind]
            raise QueryError(f"{spec.class_name} has no field {name!r}{did_you_mean(name, spec.by_name)}", field=name)
        if field.type is FieldType.REF:
            return self._parent(field, operator, value, turned)
        if field.type is FieldType.JSON and not self._node.attr.keys and operator != "is_null":
            raise QueryError(f"{self._node.attr}: name a key, as in {name}['key']", field=name)
        if name not in _META:
            self._check_known(name)
        key = "owner__username" if name == "owner" else name
        plain = PlainField(self._steps, key, field, self._can_be_empty(field), self._refuse, self._node.attr.part)
        return plain.queries(operator, value, turned)

    def _can_be_empty(self, field: FieldSpec) -> bool:
        return field.name in wire_kind(self._kind).never_null

    def _identity(self, name: str, operator: str, value: Any, turned: bool) -> list[Query]:
        if operator == "is_null":
            return EVERYTHING if bool(value) == turned else NOTHING
        if operator not in ("eq", "ne", "in"):
            raise QueryError(f"{self._node.attr}: an {name} is compared by == and in_(), not by {operator}", field=name)
        if turned or operator == "ne":
            self._refuse(f"every other {name}", "ask for those that are wanted")
        values = value if operator == "in" else (value,)
        texts = [text for item in values if (text := self._identity_text(name, item)) is not None]
        key = "__".join([*self._steps, "guid" if name == "guid" else "id", "in"])
        return [{key: ",".join(dict.fromkeys(texts))}] if texts else NOTHING

    def _identity_text(self, name: str, value: Any) -> str | None:
        if value is None:
            return None
        if name == "guid":
            return str(value) if re.fullmatch("[0-9a-f]{32}", str(value)) else None
        if isinstance(value, Location):
            if value.kind != self._kind:
                raise QueryError(f"{self._node.attr}: the location of a {self._kind} is needed, not {value}")
            return value.id
        if isinstance(value, int):
            return encode_id(value)
        try:
            decode_id(str(value))
        except ValueError as error:
            raise QueryError(str(error), field=name, value=value) from None
        return str(value)

    def _parent(self, field: FieldSpec, operator: str, value: Any, turned: bool) -> list[Query]:
        self._check_known(field.name)
        is_null = operator == "is_null" or (operator in ("eq", "ne") and value is None)
        if is_null:
            wanted = (bool(value) if operator == "is_null" else operator == "eq") != turned
            return self._no_parent(field, wanted)
        if turned or operator not in ("eq", "in"):
            self._refuse(f"{operator} on {self._node.attr}", "compare a foreign key by is_(), in_() or is_null()")
        self._step(field.name)
        values: Any = value if operator == "in" else (value,)
        ids = [self._parent_id(field, item) for item in values if item is not None]
        return [{"__".join([*self._steps, "in"]): ",".join(ids)}] if ids else NOTHING

    def _no_parent(self, field: FieldSpec, wanted: bool) -> list[Query]:
        name = field.name
        if (self._kind, name) == ("section", "document"):
            name, wanted = "section", not wanted
        return [{"__".join([*self._steps, name, "isnull"]): str(wanted)}]

    def _parent_id(self, field: FieldSpec, value: Any) -> str:
        if not isinstance(value, Location) or value.kind != field.target:
            raise QueryError(f"{self._node.attr}: the location of a {field.target} is needed, not {value!r}")
        return value.id
