"""Compare an odml document with what its file gives back."""

from __future__ import annotations

from typing import Any

from gnode_orm.convert.odml.attributes import EXT_FIELDS, FIELDS, VALUE_FIELDS
from gnode_orm.convert.odml.losses import Losses
from gnode_orm.convert.odml.paths import Path
from gnode_orm.convert.odml.value_text import same, write_value

# The name of the file that a document was read from is not part of it.
_IGNORED = ("origin_file_name",)


def differences(document: Any, other: Any) -> list[str]:
    """Give one line for each sort of difference."""
    found = Losses(strict=False)
    waiting = [("document", document, other, Path("document"))]
    while waiting:
        kind, one, two, path = waiting.pop()
        _compare(kind, one, two, path, found)
        lists = [("sections", "section", "_sections")] if kind != "property" else []
        if kind == "section":
            lists.append(("properties", "property", "_props"))
        for collection, member, attribute in lists:
            pairs = zip(getattr(one, attribute), getattr(two, attribute), strict=True)
            waiting.extend((member, a, b, path.to(collection, number)) for number, (a, b) in enumerate(pairs))
    return found.lines()


def _compare(kind: str, one: Any, two: Any, path: Path, found: Losses) -> None:
    names = {**FIELDS[kind], **EXT_FIELDS[kind], **(VALUE_FIELDS | {"dtype": "_dtype"} if kind == "property" else {})}
    for name, attribute in names.items():
        before, after = getattr(one, attribute), getattr(two, attribute)
        if name in _IGNORED or same(before, after):
            continue
        how = "makes text of it" if same(_text(before), _text(after)) else "changes it"
        found.mention(path, f"{kind.capitalize()}.{name}: this form of file {how}")
    if kind == "property" and not _same_values(one._values, two._values):
        found.mention(path, "Property.values: this form of file changes them")


def _text(value: Any) -> Any:
    return value if isinstance(value, tuple) else write_value(value)


def _same_values(one: list[Any], two: list[Any]) -> bool:
    return len(one) == len(two) and all(same(a, b) for a, b in zip(one, two, strict=True))
