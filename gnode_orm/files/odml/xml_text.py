"""odML as XML. Entities are refused, so that a small file cannot grow without bound or read other files."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn
from xml.parsers import expat

from gnode_orm.errors import FormatError
from gnode_orm.files.odml.elements import STRUCTURE, Element, unreadable


def parse_xml(data: bytes, path: Path) -> tuple[str | None, Element]:
    """Read XML; give the format version and the root element.

    Raises:
        FormatError: not well-formed, declares entities, or its root is not ``<odML>``.
    """
    builder = _Builder()
    _run(data, path, builder.start, builder.end, builder.text)
    root = builder.root
    assert root is not None, "expat refuses a document without a root"
    if root.tag != "odml":
        raise unreadable(path, f"its root element is <{root.tag}>, not <odML>")
    return root.attributes.pop("version", None), root


def root_tag(data: bytes, path: Path) -> str | None:
    """Give the name of the root element; ``None`` if what stands before it is not well-formed."""
    found: list[str] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        found.append(tag)

    with suppress(FormatError):  # what is wrong behind the root is for the reader to say
        _run(data, path, start, lambda tag: None, lambda text: None, final=False)
    return found[0] if found else None


class _Builder:
    """Builds elements from the events of the parser, with a stack of its own, so that depth is no limit."""

    def __init__(self) -> None:
        self.root: Element | None = None
        # Elements that are open, with the pieces of their text. Markup inside a text adds to the pieces of that text.
        self._open: list[tuple[Element, list[str], bool]] = []

    def start(self, tag: str, attributes: dict[str, str], line: int = 0) -> None:
        element = Element(tag.lower(), f"line {line}", attributes=attributes)
        if not self._open:
            self.root = element
            self._open.append((element, [], True))
            return
        above, pieces, _ = self._open[-1]
        above.members.append(element)
        own = above.tag in STRUCTURE
        self._open.append((element, [] if own else pieces, own))

    def end(self, tag: str) -> None:
        element, pieces, own = self._open.pop()
        text = "".join(pieces) if own else ""
        # Blanks around a value of odML 1.1 belong to it; around anything else they are layout.
        element.content = (text if element.tag == "value" else text.strip()) if text.strip() else None

    def text(self, text: str) -> None:
        self._open[-1][1].append(text)


def _run(
    data: bytes,
    path: Path,
    start: Callable[..., None],
    end: Callable[[str], None],
    text: Callable[[str], None],
    *,
    final: bool = True,
) -> None:
    def refuse(*declared: Any) -> NoReturn:
        raise unreadable(path, f"it declares or uses the entity {declared[0]!r}, and odML needs none")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    if final:
        parser.StartElementHandler = lambda tag, attributes: start(tag, attributes, parser.CurrentLineNumber)
    else:
        parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.EntityDeclHandler = refuse
    parser.SkippedEntityHandler = refuse
    try:
        parser.Parse(data, final)
    except expat.ExpatError as error:
        raise unreadable(path, str(error)) from None
    except (LookupError, UnicodeError) as error:
        raise unreadable(path, f"its encoding is unknown or wrong ({error})") from None
