"""The registry through which models find their converters, which stand on a floor above them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_CONVERTERS = {"neo": "gnode_orm.convert.neo", "odml": "gnode_orm.convert.odml"}


def converter(library: str) -> Any:
    """Import the converter of a library at first use, since neo and odml are slow to import."""
    return import_module(_CONVERTERS[library])
