"""Elements of an odML file -> models, for the format versions 1.0 and 1.1 alike.

The text of a file is kept as it stands: nothing is rounded or cast, links and includes are text, and what odML does not
know is reported. In 1.0 each value has its own unit, uncertainty, dtype and so on; in 1.1 the property says it for all.
"""

from __future__ import annotations

import json
from typing import Any

from gnode_orm.convert.odml.attributes import EXT_VERSION, VALUE_FIELDS, plain, with_exact
from gnode_orm.convert.odml.value_text import read_value
from gnode_orm.errors import ValidationFailed
from gnode_orm.files.odml.elements import Element
from gnode_orm.files.odml.sorting import Sorted, sort_members, text_of
from gnode_orm.files.odml.value_drafts import Draft, value_drafts
from gnode_orm.models.metadata import Document, Property, Section, Value

_CARDINALITIES = ("sec_cardinality", "prop_cardinality", "val_cardinality")
# Element of a property in 1.1 -> field of each of its values.
_FOR_ALL_VALUES = {"unit": "unit", "uncertainty": "uncertainty", "reference": "reference", "value_origin": "filename"}


class Build:
    """Builds the models of one file, and collects what has to be said about it."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.warnings: list[str] = []

    def document(self, root: Element) -> Document:
        """Build a document with everything below it.

        Raises:
            ValidationFailed: a text that no field holds, such as one with a NUL character.
        """
        found = sort_members(root, self.warnings)
        ext = self._ext(found, root)
        date = self._date(found.take("date"), root, ext)
        document: Document = self._made(Document, root, found, ext, date=date)
        waiting: list[tuple[Document | Section, list[Element]]] = [(document, found.below)]
        while waiting:
            parent, members = waiting.pop()
            sections = [member for member in members if member.tag == "section"]
            waiting.extend(self._section(element, parent, number) for number, element in enumerate(sections))
        return document

    def _section(self, element: Element, parent: Document | Section, number: int) -> tuple[Section, list[Element]]:
        found = sort_members(element, self.warnings)
        ext = self._ext(found, element)
        hung: dict[str, Any] = {parent.kind: parent}
        section = self._made(Section, element, found, ext, tree_position=number, **hung)
        if section.name is None:
            self.warnings.append(f"{element.place}: a section without a name")
        properties = [member for member in found.below if member.tag == "property"]
        for place, member in enumerate(properties):
            self._property(member, section, place)
        return section, found.below

    def _property(self, element: Element, section: Section, place: int) -> None:
        found = sort_members(element, self.warnings)
        ext = {**self._ext(found, element), "position": place}
        dtype = text_of(found.take("type"))
        shared = {field: found.take(tag) for tag, field in _FOR_ALL_VALUES.items()}
        drafts = [draft for item in found.below for draft in value_drafts(item, self.version, dtype, self.warnings)]
        dtype = dtype or next((draft.dtype for draft in drafts if draft.dtype), None)
        if dtype is not None:
            ext["dtype"] = dtype
        for field in VALUE_FIELDS:
            with_exact(ext, field, shared[field] if drafts else None)
            if not drafts and shared[field] is not None:
                ext[field] = shared[field]
        model = self._made(Property, element, found, ext, section=section)
        if model.name is None:
            self.warnings.append(f"{element.place}: a property without a name")
        texts = {field: plain(field, value) for field, value in shared.items()}
        for draft in drafts:
            self._value(draft, model, dtype, texts)

    def _value(self, draft: Draft, model: Property, dtype: str | None, shared: dict[str, Any]) -> None:
        own = draft.dtype if draft.dtype and draft.dtype != dtype else None
        ext = {} if own is None else {"v": EXT_VERSION, "dtype": own}
        fields = {**shared, **draft.fields}
        self._made(Value, draft.element, Sorted(fields, []), ext, data=draft.text, property=model)
        try:
            read_value(draft.text, own or dtype)
        except (ValueError, OverflowError):
            self.warnings.append(f"{draft.element.place}: {draft.text!r:.80} is not of dtype {own or dtype!r}")

    def _made(self, cls: Any, element: Element, found: Sorted, ext: dict[str, Any], **others: Any) -> Any:
        fields: dict[str, Any] = {}
        for field, value in found.says.items():
            fields[field] = plain(field, value)
            if cls is not Value:
                with_exact(ext, field, value)
        try:
            return cls(**fields, **others, ext=ext)
        except ValidationFailed as error:
            raise ValidationFailed(
                f"{element.place}: {error}; correct the file", entity=cls.__name__, field=error.field, value=error.value
            ) from None

    def _ext(self, found: Sorted, element: Element) -> dict[str, Any]:
        """Take what goes to ``ext``: the id and the cardinalities."""
        ext: dict[str, Any] = {"v": EXT_VERSION}
        oid = found.take("id")
        if oid is not None:
            ext["oid"] = text_of(oid)
        for name in _CARDINALITIES:
            given = found.take(name)
            if given is None:
                continue
            pair = _cardinality(given)
            if pair is None:
                self.warnings.append(f"{element.place}: {given!r:.60} is not a cardinality (min, max) and was left out")
            else:
                ext[name] = pair
        return ext

    def _date(self, given: Any, element: Element, ext: dict[str, Any]) -> Any:
        if given is None:
            return None
        text = str(given)
        try:
            return read_value(text, "date")
        except ValueError:
            # Kept out of the field, which holds dates alone.
            ext["date_text"] = text
            self.warnings.append(f"{element.place}: the document's date {text!r:.60} is not a date such as 2014-03-21")
            return None


def _cardinality(given: Any) -> tuple[int | None, int | None] | None:
    """Read ``(1, None)`` or ``[1, null]``."""
    items = given
    if isinstance(given, str):
        try:
            items = json.loads(given.replace("(", "[").replace(")", "]").replace("None", "null"))
        except ValueError:
            return None
    if not isinstance(items, list) or len(items) != 2:
        return None
    low, high = (None if item in (None, "None") else item for item in items)
    fits = all(item is None or (type(item) is int and item >= 0) for item in (low, high))
    return (low, high) if fits and (low or high) else None
