"""One field of text, numbers, dates or truth values, compared in the words of API v1.

Where the server has no word for an opposite it is said by others: what is not less is equal, more, or nothing. Numbers
beyond what a column holds, and texts that the server takes for values, are put so that the answer stays the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from math import ceil, floor, isfinite
from typing import Any, NoReturn

from gnode_orm.core.schema import FieldSpec, FieldType
from gnode_orm.errors import QueryError

Query = dict[str, str]
"""One query: parameter to value."""
EVERYTHING: list[Query] = [{}]
NOTHING: list[Query] = []
_WORDS = frozenset({"true", "True", "false", "False", "None", "none", "nil"})
_ORDERED = {"lt": "lt", "le": "lte", "gt": "gt", "ge": "gte"}
_TEXT_LOOKUPS = (
    "contains", "startswith", "endswith", "icontains", "istartswith", "iendswith", "iexact", "regex", "iregex",
)  # fmt: skip
_PATTERNS = {"contains": "{}", "startswith": "^{}", "endswith": "{}$", "icontains": "{}", "istartswith": "^{}",
             "iendswith": "{}$", "iexact": "^{}$", "exact": "^{}$"}  # fmt: skip
_TURNED = {"eq": "ne", "ne": "eq"}
_WHOLE = range(-(2**31), 2**31)


class PlainField:
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
        """Give the queries for a comparison, or its opposite.

        Raises:
            QueryError: the value cannot be compared with the field.
            UnsupportedByStore: the protocol cannot say it.
        """
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

    def _equal(self, value: Any) -> list[Query]:
        text = self._text(value)
        if text is None or (text == "" and self._empty_is_null):
            return NOTHING
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
                return NOTHING
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
            return NOTHING
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
