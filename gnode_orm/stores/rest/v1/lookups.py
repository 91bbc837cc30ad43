"""Conditions as query parameters of API v1.

The protocol joins parameters by "and" and knows neither "or" nor "not". So a condition becomes several queries whose
answers together are its own: "or" by asking once for each side, "not" by turning comparisons around. What cannot be
said exactly is refused; nothing is filtered here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from math import ceil, floor, isfinite
from typing import Any, NoReturn

from gnode_orm.core.schema import SCHEMA, FieldSpec, FieldType
from gnode_orm.core.select import And, AnyOf, Attr, Comparison, Node, Not, Or
from gnode_orm.errors import QueryError, UnsupportedByStore, did_you_mean
from gnode_orm.ids import decode_id, encode_id
from gnode_orm.location import Location
from gnode_orm.stores.rest.v1.fields import ServerFields
from gnode_orm.stores.rest.v1.paging import Params
from gnode_orm.wire.kinds import wire_kind

MOST_QUERIES = 64
_WORDS = frozenset({"true", "True", "false", "False", "None", "none", "nil"})
_ORDERED = {"lt": "lt", "le": "lte", "gt": "gt", "ge": "gte"}
_TEXT_LOOKUPS = (
    "contains", "startswith", "endswith", "icontains", "istartswith", "iendswith", "iexact", "regex", "iregex",
)  # fmt: skip
_PATTERNS = {"contains": "{}", "startswith": "^{}", "endswith": "{}$", "icontains": "{}", "istartswith": "^{}",
             "iendswith": "{}$", "iexact": "^{}$", "exact": "^{}$"}  # fmt: skip
_TURNED = {"eq": "ne", "ne": "eq"}
_WHOLE = range(-(2**31), 2**31)
_META = {"date_created": FieldSpec("date_created", FieldType.DATETIME), "owner": FieldSpec("owner", FieldType.TEXT)}

Query = dict[str, str]
"""One query: parameter to value."""
_NOTHING: list[Query] = []
_ALL: list[Query] = [{}]


class Lookups:
    """Turns conditions on one kind into queries, by what the server says of its fields."""

    def __init__(self, fields: ServerFields, target: str) -> None:
        self._fields = fields
        self._target = target

    def queries(self, kind: str, node: Node | None) -> list[Params]:
        """Give the queries that together answer a condition.

        Raises:
            UnsupportedByStore: the protocol cannot say it.
            QueryError: it has no meaning.
        """
        found = _ALL if node is None else self._node(kind, node, False)
        distinct = dict.fromkeys(tuple(sorted(query.items())) for query in found)
        return list(distinct)

    def _node(self, kind: str, node: Node, turned: bool) -> list[Query]:
        if isinstance(node, Not):
            return self._node(kind, node.item, not turned)
        if isinstance(node, And | Or):
            sides = [self._node(kind, item, turned) for item in node.items]
            return self._both(sides) if isinstance(node, And) != turned else self._either(sides)
        if isinstance(node, AnyOf):
            self._refuse(f"a condition on the members of {node.relation}", "ask for the members, and go up from them")
        return _Comparing(self._fields, self._target, kind, node).queries(turned)

    def _either(self, sides: list[list[Query]]) -> list[Query]:
        return self._few([query for side in sides for query in side])

    def _both(self, sides: list[list[Query]]) -> list[Query]:
        joined = _ALL
        for side in sides:
            pairs = [(one, other) for one in joined for other in side]
            self._few(pairs)
            joined = [query for one, other in pairs if (query := merged(one, other, self._refuse)) is not None]
        return joined

    def _few(self, found: list[Any]) -> list[Any]:
        if len(found) > MOST_QUERIES:
            self._refuse(f"a condition that takes {len(found)} requests", "ask for less at once")
        return found

    def _refuse(self, what: str, instead: str) -> NoReturn:
        raise unsupported(self._target, what, instead)


def unsupported(target: str, what: str, instead: str) -> UnsupportedByStore:
    """Make the error for a query that the protocol has no words for."""
    return UnsupportedByStore(f"{target} speaks API v1 alone, which cannot answer {what}; {instead}")


def merged(one: Query, other: Query, refuse: Callable[[str, str], NoReturn]) -> Query | None:
    """Join two queries by "and"; ``None`` where nothing meets both. Of a parameter given twice the last counts."""
    joined = dict(one)
    for key, value in other.items():
        if key not in joined or joined[key] == value:
            joined[key] = value
        elif key.endswith("__in"):
            kept = [item for item in joined[key].split(",") if item in value.split(",")]
            if not kept:
                return None
            joined[key] = ",".join(kept)
        elif key.endswith("__isnull"):
            return None
        elif key.endswith("__gt") and "" in (value, joined[key]):
            joined[key] = value or joined[key]  # more than nothing, and more than that
        elif (stricter := _stricter(key, joined[key], value)) is not None:
            joined[key] = stricter
        elif f"{key}__exact" not in joined and "__" not in key:
            joined[f"{key}__exact"] = value
        else:
            refuse(f"two conditions on {key}", "write them as one")
    return joined


def _stricter(key: str, one: str, other: str) -> str | None:
    """Of two bounds the one that both meet, where they are whole numbers."""
    choose = {"lt": min, "lte": min, "gt": max, "gte": max}.get(key.rpartition("__")[2])
    try:
        return None if choose is None else str(choose(int(one), int(other)))
    except ValueError:
        return None


class _Comparing:
    """One comparison."""

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

    # ---- what is compared

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
        plain = _Plain(self._steps, key, field, self._can_be_empty(field), self._refuse, self._node.attr.part)
        return plain.queries(operator, value, turned)

    def _can_be_empty(self, field: FieldSpec) -> bool:
        return field.name in wire_kind(self._kind).never_null

    def _identity(self, name: str, operator: str, value: Any, turned: bool) -> list[Query]:
        if operator == "is_null":
            return _ALL if bool(value) == turned else _NOTHING
        if operator not in ("eq", "ne", "in"):
            raise QueryError(f"{self._node.attr}: an {name} is compared by == and in_(), not by {operator}", field=name)
        if turned or operator == "ne":
            self._refuse(f"every other {name}", "ask for those that are wanted")
        values = value if operator == "in" else (value,)
        texts = [text for item in values if (text := self._identity_text(name, item)) is not None]
        key = "__".join([*self._steps, "guid" if name == "guid" else "id", "in"])
        return [{key: ",".join(dict.fromkeys(texts))}] if texts else _NOTHING

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
        return [{"__".join([*self._steps, "in"]): ",".join(ids)}] if ids else _NOTHING

    def _no_parent(self, field: FieldSpec, wanted: bool) -> list[Query]:
        name = field.name
        if (self._kind, name) == ("section", "document"):
            name, wanted = "section", not wanted
        return [{"__".join([*self._steps, name, "isnull"]): str(wanted)}]

    def _parent_id(self, field: FieldSpec, value: Any) -> str:
        if not isinstance(value, Location) or value.kind != field.target:
            raise QueryError(f"{self._node.attr}: the location of a {field.target} is needed, not {value!r}")
        return value.id


class _Plain:
    """A field of text, numbers, dates or truth values."""

    def __init__(
        self,
        steps: list[str],
        name: str,
        field: FieldSpec,
        empty_is_null: bool,
        refuse: Callable[[str, str], NoReturn],
        part: str | None,
    ) -> None:
        self._path = "__".join([*steps, name])
        self._steps = steps
        self._field = field
        self._empty_is_null = empty_is_null
        self._refuse = refuse
        self._part = part

    def queries(self, operator: str, value: Any, turned: bool) -> list[Query]:
        """Give the queries for a comparison, or its opposite."""
        if operator == "is_null" or (value is None and operator in ("eq", "ne")):
            wanted = bool(value) if operator == "is_null" else operator == "eq"
            return self._null(wanted != turned)
        if value is None:
            raise QueryError(f"{self._path}: None has no order; use is_null()", value=value)
        if self._part == "hour" and self._field.type is FieldType.DATE:
            raise QueryError(f"{self._path}: a date has no part 'hour'", value=value)
        if self._field.type in (FieldType.QUANTITY, FieldType.ARRAY, FieldType.JSON):
            what = "numbers, whatever their unit" if self._field.type is FieldType.QUANTITY else "addresses of arrays"
            self._refuse(f"{operator} on {self._path}: it compares {what}", "compare the values after reading")
        return self._opposite(operator, value) if turned else self._same(operator, value)

    def _null(self, wanted: bool) -> list[Query]:
        if self._field.type is FieldType.ARRAY:
            self._refuse(f"whether there is data in {self._path}", "look at the objects")
        if not self._empty_is_null:
            return [{f"{self._path}__isnull": str(wanted)}]
        if not wanted:
            return [{f"{self._path}__gt": ""}]
        no_parent = [{f"{'__'.join(self._steps)}__isnull": "True"}] if self._steps else []
        return [{self._path: ""}, *no_parent]

    def _same(self, operator: str, value: Any) -> list[Query]:
        if operator == "ne":
            return [*self._null(True), *self._apart(value)]
        if operator == "in":
            return self._among(value)
        if operator == "between":
            low, high = value
            below = self._ordered("ge", low)
            return [{**one, **other} for one in below for other in self._ordered("le", high)]
        if operator == "eq":
            return self._equal(value)
        if operator in _ORDERED:
            return self._ordered(operator, value)
        return self._matching(operator, value)

    def _opposite(self, operator: str, value: Any) -> list[Query]:
        if operator in _TURNED:
            return self._same(_TURNED[operator], value)
        if operator == "lt":
            return [*self._ordered("ge", value), *self._null(True)]
        if operator == "le":
            return [*self._ordered("gt", value), *self._null(True)]
        if operator == "gt":
            return [*self._ordered("le", value), *self._null(True)]
        if operator == "ge":
            return [*self._ordered("lt", value), *self._null(True)]
        if operator == "between":
            return [*self._ordered("lt", value[0]), *self._ordered("gt", value[1]), *self._null(True)]
        self._refuse(f"what does not meet {operator} on {self._path}", "ask for what does")

    def _apart(self, value: Any) -> list[Query]:
        """What has a value, and another one."""
        if self._field.type is FieldType.BOOLEAN:
            return self._equal(not value)
        return [*self._ordered("lt", value), *self._ordered("gt", value)]

    # ---- each kind of comparison

    def _equal(self, value: Any) -> list[Query]:
        text = self._text(value)
        if text is None or (text == "" and self._empty_is_null):
            return _NOTHING
        if self._part is not None:
            return [{f"{self._path}__{self._part}": text}]
        if text in _WORDS and self._field.type is FieldType.TEXT:
            return self._pattern("exact", text)
        return [{self._path: text}]

    def _among(self, values: Any) -> list[Query]:
        texts = [text for item in values if item is not None and (text := self._text(item)) is not None]
        if self._part is not None:
            return [{f"{self._path}__{self._part}": text} for text in texts]
        odd = [text for text in texts if text in _WORDS or text == "" or "," in text]
        listed = [text for text in texts if text not in odd]
        alone = [query for text in odd for query in self._equal(text)]
        return [*([{f"{self._path}__in": ",".join(listed)}] if listed else []), *alone]

    def _ordered(self, operator: str, value: Any) -> list[Query]:
        if self._part is not None:
            self._refuse(f"{operator} on the {self._part} of {self._path}", "compare it by ==, or give two dates")
        if self._field.type is FieldType.BOOLEAN:
            self._refuse(f"{operator} on {self._path}", "compare it by ==")
        if self._field.type is FieldType.INTEGER:
            bounded = _bounded(operator, value)
            if bounded is None:
                return _NOTHING
            if isinstance(bounded, bool):
                return self._null(False)
            operator, value = bounded
        text = self._text(value)
        if text is None:
            self._refuse(f"{operator} on {self._path} with {value!r}", "give another value")
        if text in _WORDS and self._field.type is FieldType.TEXT:
            self._refuse(f"{operator} {text!r}, which it takes for another value", "give another text")
        query = {f"{self._path}__{_ORDERED[operator]}": text}
        if self._empty_is_null and operator in ("lt", "le"):
            query[f"{self._path}__gt"] = ""
        return [query]

    def _matching(self, operator: str, value: Any) -> list[Query]:
        if operator not in _TEXT_LOOKUPS:
            raise QueryError(f"{self._path}: there is no comparison {operator!r}")
        if self._field.type is not FieldType.TEXT:
            raise QueryError(f"{self._path}: {operator} is for text alone", value=value)
        text = self._text(value)
        if text is None or (operator == "iexact" and text == "" and self._empty_is_null):
            return _NOTHING
        if operator in ("regex", "iregex"):
            _check_pattern(self._path, text)
        if text in _WORDS and operator in _PATTERNS:
            return self._pattern(operator, text)
        query = {f"{self._path}__{operator}": text}
        if self._empty_is_null and (text == "" or operator in ("regex", "iregex")):
            query[f"{self._path}__gt"] = ""
        return [query]

    def _pattern(self, operator: str, text: str) -> list[Query]:
        # Words such as None are taken for values; as a part of a pattern they are what they are.
        lookup = "iregex" if operator.startswith("i") else "regex"
        return [{f"{self._path}__{lookup}": _PATTERNS[operator].format(f"({text})")}]

    def _text(self, value: Any) -> str | None:
        """Write a value; ``None`` for one that no field holds."""
        if self._part is not None:
            return str(_number(self._path, value))
        return _WRITE[self._field.type](self._path, value)


def _bounded(operator: str, value: Any) -> tuple[str, int] | bool | None:
    """A bound for whole numbers of 32 bits: as a whole number, ``True`` where all meet it, ``None`` where none does."""
    number = _number("a whole number", value)
    if operator in ("ge", "lt"):
        whole = ceil(number) if isfinite(number) else number
    else:
        whole = floor(number) if isfinite(number) else number
    if whole in _WHOLE:
        return operator, int(whole)
    above = whole > 0
    return True if above == (operator in ("lt", "le")) else None


def _number(path: str, value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise QueryError(f"{path}: a number is needed, not {value!r}", value=value)
    return value


def _whole(path: str, value: Any) -> str | None:
    number = _number(path, value)
    return str(int(number)) if isfinite(number) and number == int(number) and int(number) in _WHOLE else None


def _str(path: str, value: Any) -> str | None:
    if not isinstance(value, str):
        raise QueryError(f"{path}: text is needed, not {value!r}", value=value)
    return None if "\0" in value else str(value)


def _truth(path: str, value: Any) -> str:
    if not isinstance(value, bool):
        raise QueryError(f"{path}: True or False is needed, not {value!r}", value=value)
    return str(value)


def _moment(path: str, value: Any) -> str:
    if not isinstance(value, date):
        raise QueryError(f"{path}: a date or datetime is needed, not {value!r}", value=value)
    moment = value if isinstance(value, datetime) else datetime.combine(value, time())
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return moment.isoformat()


def _date(path: str, value: Any) -> str:
    if not isinstance(value, date):
        raise QueryError(f"{path}: a date is needed, not {value!r}", value=value)
    return value.strftime("%Y-%m-%d")


_WRITE: dict[FieldType, Callable[[str, Any], str | None]] = {
    FieldType.TEXT: _str,
    FieldType.INTEGER: _whole,
    FieldType.BOOLEAN: _truth,
    FieldType.DATE: _date,
    FieldType.DATETIME: _moment,
}


def _check_pattern(path: str, text: str) -> None:
    try:
        re.compile(text)
    except re.error as error:
        raise QueryError(f"{path}: {text!r} is not a regular expression ({error})", value=text) from None


def split_lists(queries: list[Params], most: int) -> Iterator[Params]:
    """Cut queries whose list of values is too long for one address into several."""
    for query in queries:
        long = next(((key, value) for key, value in query if key.endswith("__in") and value.count(",") >= most), None)
        if long is None:
            yield query
            continue
        key, value = long
        items = value.split(",")
        rest = [pair for pair in query if pair != long]
        for start in range(0, len(items), most):
            yield from split_lists([(*rest, (key, ",".join(items[start : start + most])))], most)
