"""odML as JSON and YAML: both are read as one structure, and then as the same elements that XML has."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from gnode_orm.files.odml.elements import Element, unreadable

# A reader of YAML needs time in the square of the depth, and aliases make small files large.
_DEEPEST = 2000
_LONGEST_ALIAS = 100
_PLAIN_INT = re.compile(r"[-+]?[0-9]+")
# Keys of lists, and the tag of each of their members.
_LISTS = {"sections": "section", "properties": "property"}
_TAGS = {"dtype": "type", "dependency_value": "dependencyvalue", "values": "value", "oid": "id"}


class Pairs(list[tuple[str, Any]]):
    """A JSON object or YAML mapping, with repeated keys kept."""

    def get(self, key: str) -> Any:
        """Give the value of a key, or ``None``."""
        return next((value for name, value in self if name == key), None)


def parse_json(data: bytes, path: Path) -> Any:
    """Read JSON, objects as ``Pairs``.

    Raises:
        FormatError: not JSON.
    """
    try:
        return json.loads(data, object_pairs_hook=Pairs)
    except RecursionError:
        raise unreadable(path, "it is nested too deep") from None
    except ValueError as error:
        raise unreadable(path, f"not valid JSON: {error}") from None


def parse_yaml(data: bytes, path: Path) -> Any:
    """Read YAML, mappings as ``Pairs``. No tags, and no aliases but of single values.

    Raises:
        FormatError: not YAML, or more than odML needs.
    """
    import yaml

    try:
        return _YamlReader(data).read()
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise unreadable(path, f"not valid YAML: {error}") from None


class _YamlReader:
    """Builds values from the events of a safe loader, so that aliases cannot grow and depth needs no recursion."""

    def __init__(self, data: bytes) -> None:
        import yaml

        self._yaml = yaml
        self._loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(data)
        self._anchors: dict[str, Any] = {}
        # Collections that are open: the collection, and for a mapping the key that waits for its value.
        self._open: list[tuple[Any, list[str]]] = []
        self._root: Any = None

    def read(self) -> Any:
        yaml = self._yaml
        while self._loader.check_event():
            event = self._loader.get_event()
            if isinstance(event, yaml.ScalarEvent):
                value = self._scalar(event)
                if event.anchor and len(event.value) <= _LONGEST_ALIAS:
                    self._anchors[event.anchor] = value
                self._put(value)
            elif isinstance(event, yaml.AliasEvent):
                if event.anchor not in self._anchors:
                    raise ValueError(f"the alias *{event.anchor} stands for more than a short text; odML needs none")
                self._put(self._anchors[event.anchor])
            elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                collection: Any = Pairs() if isinstance(event, yaml.MappingStartEvent) else []
                self._put(collection)
                self._open.append((collection, []))
                if len(self._open) > _DEEPEST:
                    raise ValueError(f"it is nested deeper than {_DEEPEST} levels")
            elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                self._open.pop()
        return self._root

    def _put(self, value: Any) -> None:
        if not self._open:
            self._root = value
            return
        collection, key = self._open[-1]
        if not isinstance(collection, Pairs):
            collection.append(value)
        elif key:
            collection.append((key.pop(), value))
        else:
            key.append(str(value))

    def _scalar(self, event: Any) -> Any:
        """Give text, except for what YAML writes in its own way: null, booleans and floats such as ``.nan``."""
        if event.style:
            return event.value
        tag = event.tag or self._loader.resolve(self._yaml.ScalarNode, event.value, (True, False))
        kind = tag.rpartition(":")[2]
        if kind in ("null", "bool", "float") or (kind == "int" and _PLAIN_INT.fullmatch(event.value)):
            # 10:20:30 is an integer to YAML, and a time to those who write it.
            if kind == "float" and ":" in event.value:
                return event.value
            return self._loader.construct_object(self._yaml.ScalarNode(tag, event.value))
        return event.value


def elements_of(document: Pairs) -> Element:
    """Turn what stands under ``Document`` into elements."""
    root = Element("odml", "Document")
    waiting = [(root, document)]
    while waiting:
        element, pairs = waiting.pop()
        for key, value in pairs:
            for tag, place, item in _parts(key, value, element.place):
                member = Element(tag, place)
                element.members.append(member)
                if isinstance(item, Pairs):
                    waiting.append((member, item))
                else:
                    member.content = item
    return root


def _parts(key: str, value: Any, place: str) -> list[tuple[str, str, Any]]:
    """Give (tag, place, content) of each element that one key stands for."""
    below = f"{place}.{key}"
    if len(below) > 400:
        below = f"{below[:200]} ... {below[-180:]}"
    name = _LISTS.get(key, _TAGS.get(key, key))
    listed = key in _LISTS or (name == "value" and isinstance(value, list) and _has_mapping(value))
    if listed and isinstance(value, list) and not isinstance(value, Pairs):
        return [(name, f"{below}[{number}]", item) for number, item in enumerate(value)]
    return [(name, below, value)]


def _has_mapping(items: list[Any]) -> bool:
    return any(isinstance(item, Pairs) for item in items)
