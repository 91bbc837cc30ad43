"""Query parameters as conditions: ``field[__field...][__lookup]=value``, through foreign keys at any depth."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from typing import Any

from gnode_orm.core.schema import SCHEMA, FieldSpec, FieldType, KindSpec
from gnode_orm.core.select import And, Attr, Comparison, Node, Not, Select
from gnode_orm.errors import QueryError, ValidationFailed
from gnode_orm.ids import decode_id
from gnode_orm.location import Location
from gnode_orm.server.filter_values import is_null, means_none, value_of, values_listed
from gnode_orm.server.problems import Refusal
from gnode_orm.wire.kinds import wire_kind

_OPERATORS = {"exact": "eq", "gt": "gt", "gte": "ge", "lt": "lt", "lte": "le"}
_TEXT = (
    "contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "iexact", "regex", "iregex",
)  # fmt: skip
_PARTS = ("year", "month", "day", "hour", "week_day")
LOOKUPS = (*_OPERATORS, "in", "range", "isnull", *_TEXT, *_PARTS)
_META = {"guid": FieldType.TEXT, "date_created": FieldType.DATETIME}
_REFUSED = ("local_id", "resource_uri")
_PAGING = ("limit", "offset", "order_by", "sort_by")
MAX_PATTERN = 200


class Filters:
    """Reads the filters of one request, on behalf of its user."""

    def __init__(self, store: Any, actor: str) -> None:
        self._store = store
        self._actor = actor

    def where(self, kind: str, pairs: Iterable[tuple[str, str]]) -> Node | None:
        """Give the condition that all parameters make together; names that nobody knows are ignored.

        Raises:
            Refusal: a field that cannot be asked for, or a value that it cannot have.
        """
        values: dict[str, list[str]] = {}
        for key, value in pairs:
            if key not in _PAGING:
                values.setdefault(key, []).append(value)
        nodes = [node for key, given in values.items() if (node := self._one(kind, key, given)) is not None]
        return None if not nodes else nodes[0] if len(nodes) == 1 else And(tuple(nodes))

    def _one(self, kind: str, key: str, given: list[str]) -> Node | None:
        steps = key.split("__")
        if not _is_known(SCHEMA[kind], steps[0]):
            return None
        try:
            return self._node(kind, (), steps, given)
        except QueryError as error:
            raise Refusal(400, str(error)) from None
        except (ValueError, OverflowError) as error:
            if isinstance(error, ValidationFailed) and "has an invalid format" in str(error):
                raise Refusal(400, str(error), error=[str(error)]) from None
            text = "Invalid resource lookup data provided (mismatched type)."
            raise Refusal(400, f"{key}: {error}", error=text) from None

    def _node(self, kind: str, path: tuple[str, ...], steps: list[str], given: list[str]) -> Node:
        """Read one filter; ``path`` leads from the selected kind to ``kind``."""
        spec = SCHEMA[kind]
        name, *rest = steps
        if name == "owner":
            return self._owner(path, rest, given)
        if name == "safety_level" and not wire_kind(kind).is_root:
            return self._level(spec, path, rest, given)
        if name == "id":
            return _by_id((*path, "id"), rest, given)
        if name in _META:
            return _compare(kind, Attr((*path, name)), FieldSpec(name, _META[name]), rest, given, name)
        field = spec.by_name.get(name)
        if field is None or name in _REFUSED:
            raise Refusal(400, f"The '{name}' field does not allow filtering.")
        if field.type is FieldType.REF:
            return self._reference(kind, path, field, rest, given)
        return _compare(kind, Attr((*path, name)), field, rest, given, name)

    def _reference(self, kind: str, path: tuple[str, ...], field: FieldSpec, rest: list[str], given: list[str]) -> Node:
        if (kind, field.name) == ("section", "document"):
            return self._in_tree(path, rest, given)
        way = (*path, field.name)
        target = field.target or ""
        if rest and rest[0] not in LOOKUPS and rest[0] != "id":
            if not _is_known(SCHEMA[target], rest[0]):
                raise Refusal(400, f"The '{field.name}' field does not support relations.")
            return self._node(target, way, rest, given)
        return _by_location(Attr(way), target, [item for item in rest if item != "id"], given)

    def _in_tree(self, path: tuple[str, ...], rest: list[str], given: list[str]) -> Node:
        """Sections of any depth in the documents that the rest of the filter finds."""
        if rest[:1] == ["isnull"]:
            inside = self._sections_below(None)
            return Not(_is_in(path, inside)) if is_null(given) else _is_in(path, inside)
        if not rest or rest[0] in LOOKUPS:
            rest = ["id", *rest]
        if not _is_known(SCHEMA["document"], rest[0]):
            raise Refusal(400, "The 'document' field does not support relations.")
        return _is_in(path, self._sections_below(self._node("document", (), rest, given)))

    def _sections_below(self, documents: Node | None) -> list[int]:
        found = [row[0] for row in self._store.select(Select("document", documents), self._actor).rows]
        level = self._children("document", found)
        sections: list[int] = []
        while level:
            sections += level
            level = self._children("section", level)
        return sections

    def _children(self, ref: str, ids: Sequence[int]) -> list[int]:
        if not ids:
            return []
        condition = Comparison(Attr((ref,)), "in", tuple(Location.of_number(ref, id_) for id_ in ids))
        return [row[0] for row in self._store.select(Select("section", condition), self._actor).rows]

    def _level(self, spec: KindSpec, path: tuple[str, ...], rest: list[str], given: list[str]) -> Node:
        """The level is that of the block or document above, however deep."""
        way = list(path)
        kind = spec.kind
        while not wire_kind(kind).is_root and SCHEMA[kind].roots:
            name = SCHEMA[kind].roots[0]
            if kind == "section":
                return self._in_tree(tuple(way), ["safety_level", *rest], given)
            way.append(name)
            kind = SCHEMA[kind].by_name[name].target or ""
        if not wire_kind(kind).is_root:
            raise Refusal(400, f"The 'safety_level' field of {spec.kind} does not allow filtering.")
        level = SCHEMA[kind].by_name["safety_level"]
        return _compare(kind, Attr((*way, "safety_level")), level, rest, given, "safety_level")

    def _owner(self, path: tuple[str, ...], rest: list[str], given: list[str]) -> Node:
        attr = Attr((*path, "owner"))
        field = FieldSpec("owner", FieldType.TEXT)
        if rest and rest[0] == "username":
            return _compare("", attr, field, rest[1:], given, "owner")
        if rest and rest[0] not in LOOKUPS:
            raise Refusal(400, f"The '{rest[0]}' field does not allow filtering.")
        names = [self._account(item) for item in given]
        return _compare("", attr, field, rest, names, "owner")

    def _account(self, text: str) -> str:
        if not text.isdigit():
            return text.rstrip("/").rpartition("/")[2]
        return next((name for name in self._store.accounts.names() if account_number(name) == int(text)), "")


def account_number(name: str) -> int:
    """The number by which old clients know a user."""
    return zlib.crc32(name.encode()) & 0x7FFFFFFF


def _is_known(spec: KindSpec, name: str) -> bool:
    wire = wire_kind(spec.kind)
    own = {field.name for field in (*wire.plain, *wire.quantities, *wire.arrays, *wire.refs)}
    more = {"id", "owner", "safety_level", "data_size", *_META, *_REFUSED, *wire.sets}
    return name in own or name in more or (spec.kind == "recordingchannel" and name == "recordingchannelgroup")


def _compare(kind: str, attr: Attr, field: FieldSpec, rest: list[str], given: list[str], name: str) -> Node:
    if rest and rest[0] in _PARTS:
        if field.type not in (FieldType.DATE, FieldType.DATETIME) or (
            rest[0] == "hour" and field.type is FieldType.DATE
        ):
            raise Refusal(400, f"The '{name}' field does not support relations.")
        attr, field, rest = Attr(attr.path, part=rest[0]), FieldSpec(rest[0], FieldType.INTEGER), rest[1:]
    if len(rest) > 1 or (rest and rest[0] not in LOOKUPS) or (rest and rest[0] in _PARTS):
        raise Refusal(400, f"The '{name}' field does not support relations.")
    lookup = rest[0] if rest else "exact"
    if lookup == "isnull":
        return Comparison(attr, "is_null", is_null(given))
    if field.type is FieldType.ARRAY:
        raise Refusal(400, f"The '{name}' field holds an array; only {name}__isnull can be asked of it")
    if lookup in ("in", "range"):
        values = tuple(value_of(kind, field, item) for item in values_listed(given))
        return Comparison(attr, "in", values) if lookup == "in" else _between(attr, values)
    text = given[-1]
    if lookup in _TEXT:
        return _text(attr, field, lookup, text, name)
    if means_none(text):
        return Comparison(attr, "is_null", True)
    return Comparison(attr, _OPERATORS[lookup], value_of(kind, field, text))


def _text(attr: Attr, field: FieldSpec, lookup: str, text: str, name: str) -> Node:
    if field.type is not FieldType.TEXT:
        raise Refusal(400, f"The '{name}' field is not text, so {lookup} cannot be asked of it")
    if lookup in ("regex", "iregex") and len(text) > MAX_PATTERN:
        raise Refusal(400, f"A regular expression has at most {MAX_PATTERN} characters")
    return Comparison(attr, lookup, text)


def _by_id(path: tuple[str, ...], rest: list[str], given: list[str]) -> Node:
    lookup = rest[0] if rest else "exact"
    if lookup == "isnull":
        return Comparison(Attr(path), "is_null", is_null(given))
    if lookup == "iexact":
        lookup, given = "exact", [given[-1].upper()]
    if lookup not in ("exact", "in") or len(rest) > 1:
        raise Refusal(400, f"An id can be asked for as such or in a list, not by {lookup}")
    # What cannot be an id is that of no object.
    ids = [text for text in (values_listed(given) if lookup == "in" else given[-1:]) if _is_id(text)]
    return Comparison(Attr(path), "in", tuple(ids))


def _is_id(text: str) -> bool:
    try:
        decode_id(text)
    except ValidationFailed:
        return False
    return True


def _by_location(attr: Attr, target: str, rest: list[str], given: list[str]) -> Node:
    lookup = rest[0] if rest else "exact"
    if lookup == "isnull":
        return Comparison(attr, "is_null", is_null(given))
    if lookup == "in":
        found = [_location(target, item) for item in values_listed(given)]
        return Comparison(attr, "in", tuple(item for item in found if item is not None))
    if lookup != "exact":
        raise Refusal(400, f"A foreign key can be compared with ids, not by {lookup}")
    if means_none(given[-1]):
        return Comparison(attr, "is_null", True)
    location = _location(target, given[-1])
    return Comparison(attr, "in", ()) if location is None else Comparison(attr, "eq", location)


def _location(target: str, text: str) -> Location | None:
    try:
        if "/" not in text:
            decode_id(text)
            return Location.of(target, text)
        location = Location(text)
    except ValidationFailed:
        return None
    return location if location.kind == target else None


def _is_in(path: tuple[str, ...], ids: Sequence[int]) -> Node:
    locations = tuple(Location.of_number("section", id_) for id_ in ids)
    attr = Attr(path) if path else Attr(("location",))
    return Comparison(attr, "in", locations)


def _between(attr: Attr, values: tuple[Any, ...]) -> Node:
    if len(values) != 2:
        raise Refusal(400, "A range needs two values, separated by a comma")
    return Comparison(attr, "between", values)
