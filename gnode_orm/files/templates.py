"""What a lab wants to know about each recording: a template in odML or TOML.

An odML template is a document whose properties with values are defaults, and those without are asked for. A TOML file
lists what objects of each kind must or should have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from gnode_orm.core.arguments import PATHS, check
from gnode_orm.errors import NotFound, ValidationFailed
from gnode_orm.files.template_rules import METADATA, has_values, is_empty, missing_rule
from gnode_orm.files.toml_rules import rules_of_toml
from gnode_orm.files.validation.registry import Rule


class Template:
    """A template as read from its file.

    Attributes:
        path: the file.
        rules: for each kind, rules that say what is missing.
        demanded: paths such as ``"Subject/Species"`` of the properties that an odML template leaves empty.
    """

    def __init__(self, path: Path, rules: dict[str, list[Rule]], demanded: list[str], known: list[str]) -> None:
        self.path = path
        self.rules = rules
        self.demanded = demanded
        self._known = known

    @property
    def is_document(self) -> bool:
        """Whether it is odML, which becomes a document beside each block."""
        return self.path.suffix.lower() != ".toml"

    def matching(self, metadata: Mapping[str, Any]) -> dict[str, Any]:
        """Give the metadata that has a property in the template, by its path.

        A key is such a path, or its end, in any case: ``"Species"`` for ``"Subject/Species"``.

        Raises:
            ValidationFailed: several properties end so.
        """
        return {path: value for key, value in metadata.items() if (path := self._path_of(key)) is not None}

    def unmatched(self, metadata: Mapping[str, Any]) -> list[str]:
        """Give the keys that have no property in the template."""
        return [key for key in metadata if self._path_of(key) is None]

    def missing(self, metadata: Mapping[str, Any]) -> list[str]:
        """Give the demanded properties that the metadata does not fill."""
        given = {path for path, value in self.matching(metadata).items() if not is_empty(value)}
        return [path for path in self.demanded if path not in given]

    def document(self, name: str, metadata: Mapping[str, Any]) -> tuple[Any, Any]:
        """Make the document of one recording, and the section in it that the block points to."""
        from gnode_orm.files.odml import read_odml
        from gnode_orm.models import Section

        document = read_odml(self.path).document
        top = Section(name, type="recording", document=document)
        for section in [section for section in document.sections if section is not top]:
            section.document = None
            section.section = top
        filled = self.matching(metadata)
        for path, item in _properties(top):
            if path in filled:
                _fill(item, filled[path])
        return document, top

    def _path_of(self, key: str) -> str | None:
        wanted = key.replace(":", "/").casefold()
        exact = [path for path in self._known if path.casefold() == wanted]
        found = exact or [path for path in self._known if path.casefold().endswith("/" + wanted)]
        if len(found) > 1:
            raise ValidationFailed(
                f"metadata {key!r}: the template {self.path.name} has {' and '.join(found)}; give the path",
                field=key,
            )
        return found[0] if found else None


def read_template(path: str | PathLike[str]) -> Template:
    """Read a template: a TOML file by its suffix, odML otherwise.

    Raises:
        NotFound: no such file.
        FormatError: the file is broken.
        ValidationFailed: a TOML file names an unknown kind, field or level.
    """
    check("template", path, PATHS, "the path of an odML or TOML file")
    place = Path(path)
    if not place.is_file():
        raise NotFound(f"{place}: no such template")
    return Template(place, rules_of_toml(place), [], []) if place.suffix.lower() == ".toml" else _of_odml(place)


def _of_odml(path: Path) -> Template:
    from gnode_orm.files.odml import read_odml

    document = read_odml(path).document
    paths, demanded = [], []
    for section in document.sections:
        for below, item in _properties(section):
            paths.append(f"{section.name}/{below}")
            if not has_values(item):
                demanded.append(paths[-1])
    rules = {
        "document": [missing_rule("required", item) for item in paths],
        "block": [missing_rule("required", METADATA + item) for item in paths],
    }
    return Template(path, rules, demanded, paths)


def _properties(section: Any) -> Iterator[tuple[str, Any]]:
    """Give the properties below a section, by their path from it."""
    waiting = [("", section)]
    while waiting:
        path, here = waiting.pop()
        for item in here.properties:
            yield f"{path}{item.name}", item
        waiting.extend((f"{path}{child.name}/", child) for child in reversed(list(here.sections)))


def _fill(item: Any, given: Any) -> None:
    from gnode_orm.convert.odml.value_text import write_value
    from gnode_orm.models import Value

    for value in list(item.values):
        value.property = None
    for one in given if isinstance(given, list) else [given]:
        unit = None
        if hasattr(one, "dimensionality"):
            unit, one = one.dimensionality.string, one.magnitude.item()
        Value(write_value(one.item() if hasattr(one, "item") else one), unit=unit, property=item)
