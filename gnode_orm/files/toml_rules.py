"""Templates in TOML: what objects of each kind must or should have."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gnode_orm.core.schema import SCHEMA
from gnode_orm.errors import FormatError, ValidationFailed, did_you_mean
from gnode_orm.files.template_rules import ANNOTATIONS, LEVELS, missing_rule
from gnode_orm.files.validation.registry import Rule


def rules_of_toml(path: Path) -> dict[str, list[Rule]]:
    """Read what objects of each kind must or should have.

    Raises:
        FormatError: the file is broken.
        ValidationFailed: it names an unknown kind, field or level.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FormatError(f"{path}: not TOML: {' '.join(str(error).split())}") from error
    rules: dict[str, list[Rule]] = {}
    for kind, table in tables.items():
        if kind not in SCHEMA:
            raise ValidationFailed(f"{path}: there is no kind {kind!r}{did_you_mean(kind, SCHEMA)}", value=kind)
        rules[kind] = list(_rules_of(path, kind, table))
    return rules


def _rules_of(path: Path, kind: str, table: Any) -> Iterator[Rule]:
    for level, items in table.items() if isinstance(table, dict) else [(table, ())]:
        if level not in LEVELS or not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise ValidationFailed(
                f'{path}: [{kind}] takes required = ["...", ...] and recommended = ["...", ...], not {level!r}',
                field=kind,
                value=level,
            )
        for item in items:
            _check_field(path, kind, item)
            yield missing_rule(level, item)


def _check_field(path: Path, kind: str, item: str) -> None:
    fields = [spec.name for spec in SCHEMA[kind].fields]
    known = item in fields or "/" in item or (item.startswith(ANNOTATIONS) and "annotations" in fields)
    if not known:
        raise ValidationFailed(
            f"{path}: a {kind} has no field {item!r}{did_you_mean(item, fields)}; annotations are written as "
            "'annotations.key', properties of metadata as 'Section/Property'",
            field=kind,
            value=item,
        )
