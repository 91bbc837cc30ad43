"""Units with a factor: the gain and the unit in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import quantities as pq

from gnode_orm.errors import UnitError
from gnode_orm.units import Unit, unit_of

_COMPOUND = re.compile(r"\s*([0-9]+\.?[0-9]*(?:[eE][-+]?[0-9]+)?)\s*\*\s*([^0-9\s(].*?)\s*")


@dataclass(frozen=True, slots=True)
class Parts:
    """A unit with a factor, such as ``pq.CompoundUnit("0.195*uV")``."""

    text: str
    gain: float
    unit: Unit


def compound_parts(quantity: Any) -> Parts | None:
    """Take a unit with a factor apart; ``None`` for any other unit.

    A factor is never stored as a unit: the text of the unit would be read back without it.
    """
    factors = list(quantity._dimensionality.items())
    if len(factors) != 1 or factors[0][1] != 1 or not isinstance(factors[0][0], pq.CompoundUnit):
        return None
    text = factors[0][0]._name
    return parts_of_text(text)


def parts_of_text(text: str) -> Parts | None:
    """Take the text of a unit with a factor apart."""
    match = _COMPOUND.fullmatch(text)
    if match is None:
        return None
    try:
        unit = unit_of(match[2])
    except UnitError:
        return None
    return Parts(text, float(match[1]), unit)
