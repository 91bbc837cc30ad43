"""What a lab wants to know about each recording: a template in odML or TOML.

An odML template is a document whose properties with values are defaults, and those without are asked for. A TOML file
lists what objects of each kind must or should have.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from gnode_orm.core.schema import SCHEMA
from gnode_orm.errors import FormatError, NotFound, ValidationFailed, did_you_mean
from gnode_orm.files.validation.registry import Finding, Rule
from gnode_orm.files.validation.report import ERROR, WARNING

_LEVELS = {"required": ("required-missing", ERROR), "recommended": ("recommended-missing", WARNING)}
_ANNOTATIONS = "annotations."
_METADATA = "metadata/"


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
        given = {path for path, value in self.matching(metadata).items() if not _is_empty(value)}
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
    place = Path(path)
    if not place.is_file():
        raise NotFound(f"{place}: no such template")
    return _of_toml(place) if place.suffix.lower() == ".toml" else _of_odml(place)


# ---- odML


def _of_odml(path: Path) -> Template:
    from gnode_orm.files.odml import read_odml

    document = read_odml(path).document
    paths, demanded = [], []
    for section in document.sections:
        for below, item in _properties(section):
            paths.append(f"{section.name}/{below}")
            if not _has_values(item):
                demanded.append(paths[-1])
    rules = {
        "document": [_rule("required", item) for item in paths],
        "block": [_rule("required", _METADATA + item) for item in paths],
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


def _has_values(item: Any) -> bool:
    return any(not _is_empty(value.data) for value in item.values)


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


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str | list | tuple) and not value)


# ---- TOML


def _of_toml(path: Path) -> Template:
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FormatError(f"{path}: not TOML: {' '.join(str(error).split())}") from error
    rules: dict[str, list[Rule]] = {}
    for kind, table in tables.items():
        if kind not in SCHEMA:
            raise ValidationFailed(f"{path}: there is no kind {kind!r}{did_you_mean(kind, SCHEMA)}", value=kind)
        rules[kind] = list(_rules_of(path, kind, table))
    return Template(path, rules, [], [])


def _rules_of(path: Path, kind: str, table: Any) -> Iterator[Rule]:
    for level, items in table.items() if isinstance(table, dict) else [(table, ())]:
        if level not in _LEVELS or not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise ValidationFailed(
                f'{path}: [{kind}] takes required = ["...", ...] and recommended = ["...", ...], not {level!r}',
                field=kind,
                value=level,
            )
        for item in items:
            _check_field(path, kind, item)
            yield _rule(level, item)


def _check_field(path: Path, kind: str, item: str) -> None:
    fields = [spec.name for spec in SCHEMA[kind].fields]
    known = item in fields or "/" in item or (item.startswith(_ANNOTATIONS) and "annotations" in fields)
    if not known:
        raise ValidationFailed(
            f"{path}: a {kind} has no field {item!r}{did_you_mean(item, fields)}; annotations are written as "
            "'annotations.key', properties of metadata as 'Section/Property'",
            field=kind,
            value=item,
        )


# ---- both


def _remedy(entity: Any, item: str) -> str:
    """Say where it may be given: an import makes annotations of blocks, and properties for an odML template."""
    if "/" in item:
        return "set metadata to a section that has it; an odML template makes one for each block"
    if entity.kind == "block" and item.startswith(_ANNOTATIONS):
        return "give it with metadata=, or in the object itself"
    return "set it in the object"


def _rule(level: str, item: str) -> Rule:
    code, severity = _LEVELS[level]

    def check(entity: Any) -> Iterator[Finding]:
        if not _present(entity, item):
            field = item if item.isidentifier() else item.partition(".")[0].partition("/")[0]
            yield Finding(
                field if field in type(entity).__spec__.by_name else None,
                f"the template asks for {item}",
                _remedy(entity, item),
            )

    return Rule(code, severity, check)


def _present(entity: Any, item: str) -> bool:
    if item.startswith(_ANNOTATIONS):
        return not _is_empty((entity.annotations or {}).get(item.removeprefix(_ANNOTATIONS)))
    if "/" not in item:
        return not _is_empty(getattr(entity, item))
    root = entity
    if item.startswith(_METADATA) and "metadata" in type(entity).__references__:
        root, item = entity.metadata, item.removeprefix(_METADATA)
    if root is None:
        return False
    *sections, name = item.split("/")
    for step in sections:
        root = next((section for section in root.sections if section.name == step), None)
        if root is None:
            return False
    return any(found.name == name and _has_values(found) for found in getattr(root, "properties", ()))
