"""Quantities as plain numbers: their unit is known already, and ``rescale`` takes long to find it out again."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gnode_orm.units import unit_of_quantity


def in_si(quantity: Any) -> npt.NDArray[np.float64]:
    """Give the number or numbers of a quantity in SI units."""
    numbers: npt.NDArray[np.float64] = np.asarray(quantity.magnitude, float) * unit_of_quantity(quantity).factor
    return numbers


def one_in_si(quantity: Any) -> float:
    """Give the number of a quantity of one value, which neo may hold as an array of one."""
    return float(in_si(quantity).item())
