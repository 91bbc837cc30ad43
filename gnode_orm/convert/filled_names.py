"""Names that an import gives to objects whose file has none, so that listings and queries have something to show.

``ext["filled"]`` keeps ``[name given, name before]``, so that the object goes back to neo as it came, unless somebody
has renamed it since.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gnode_orm.core.entity import Entity

_ENTRY = "filled"


def fill_name(model: Any, name: str) -> None:
    """Give a name to a model that has none, or only blanks."""
    if model.name is not None and model.name.strip():
        return
    model._set_ext({"v": 1, **model.ext, _ENTRY: [name, model.name]})
    model.name = name


def name_in_file(model: Entity) -> str | None:
    """Give the name as the file has it; the present one where it was changed by hand or never filled."""
    name: str | None = getattr(model, "name", None)
    ext: Mapping[str, Any] = getattr(model, "ext", None) or {}
    given, before = ext.get(_ENTRY, (None, None))
    return before if given is not None and given == name else name
