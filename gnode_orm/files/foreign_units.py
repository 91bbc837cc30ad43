"""Units as other programs write them: ``volts``, ``Khz``, ``MΩ``, ``a.u.``."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from typing import Any

from gnode_orm.errors import UnitError
from gnode_orm.units import unit_of

_SIGNS = str.maketrans({"µ": "u", "μ": "u", "Ω": "ohm", "\u2126": "ohm"})
_SPELLINGS = {
    "khz": "kHz",
    "hz": "Hz",
    "msec": "ms",
    "usec": "us",
    "secs": "s",
    "uv": "uV",
    "mv": "mV",
}
_NONE = {"", "n/a", "na", "none", "unitless", "dimensionless"}


def foreign_unit(text: str | None) -> tuple[Any, str | None]:
    """Give the unit for a text as a quantity of one, and the text itself where it is none that can be stored.

    A unit that is only spelt otherwise is read, and an unknown one is dimensionless, both with a warning.
    """
    import quantities as pq

    flat = (text or "").strip()
    for form, guessed in _forms(flat):
        try:
            unit = unit_of(form)
        except UnitError:
            continue
        if guessed:
            warnings.warn(f"unit {flat!r} is taken for {unit.text}", stacklevel=2)
        return pq.Quantity(1.0, unit.dimensionality), None
    if flat.lower() in _NONE:
        return pq.dimensionless, flat or None
    warnings.warn(f"unit {flat!r} is unknown: kept as dimensionless, values not scaled", stacklevel=2)
    return pq.dimensionless, flat


def _forms(flat: str) -> Iterator[tuple[str, bool]]:
    """Give what a text may mean, best first, and whether that is a guess. Symbols keep their case: M is not m."""
    if not flat:
        return
    signs = flat.translate(_SIGNS)
    yield from ((flat, False), (signs, False), (signs.removesuffix("s"), False))
    word = signs.lower()
    if re.fullmatch(r"[a-z]{4,}", word) and (signs.istitle() or (signs.isupper() and len(signs) > 4)):
        yield from ((word, False), (word.removesuffix("s"), False))
    if word in _SPELLINGS:
        yield _SPELLINGS[word], True
