"""Units as other programs write them: ``volts``, ``Ohms``, ``a.u.``."""

from __future__ import annotations

import warnings
from typing import Any

from gnode_orm.errors import UnitError
from gnode_orm.units import unit_of


def foreign_unit(text: str | None) -> tuple[Any, str | None]:
    """Give the unit for a text as a quantity of one, and the text itself where it is none that can be stored.

    An unknown unit is dimensionless, with a warning.
    """
    import quantities as pq

    flat = (text or "").strip()
    for form in (flat, flat.lower(), flat.lower().rstrip("s"), flat.replace("µ", "u").replace("μ", "u")):
        if not form:
            continue
        try:
            return pq.Quantity(1.0, unit_of(form).dimensionality), None
        except UnitError:
            continue
    if not flat or flat.lower() in {"n/a", "na", "none", "unitless", "dimensionless"}:
        return pq.dimensionless, flat or None
    warnings.warn(f"unit {flat!r} is unknown: kept as dimensionless, values not scaled", stacklevel=2)
    return pq.dimensionless, flat
