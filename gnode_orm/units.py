"""Units: a safe grammar in front of ``quantities``, each text parsed once.

``quantities`` evaluates unit text as Python, drops numeric factors (``10*ms`` becomes ``ms``) and can be hung by
``9**9**9``; so text passes a grammar first, and a unit whose text would lose its scale is refused.
"""

from __future__ import annotations

import math
import re
import sys
from dataclasses import dataclass
from functools import cache
from typing import Any

import quantities as pq

from gnode_orm.errors import UnitError

_FACTOR = r"(?:%|[A-Za-z_][A-Za-z_0-9]*)(?:\*\*-?[0-9]{1,2}(?:\.[0-9]{1,3})?)?"
_GRAMMAR = re.compile(rf"(?:1/)?{_FACTOR}(?:[*/]{_FACTOR}){{0,7}}")
_NAME = re.compile(r"%|[A-Za-z_][A-Za-z_0-9]*")
_DENOMINATOR = re.compile(r"/\(([^()]*)\)$")
_SINGLE_STAR = re.compile(r"(?<!\*)\*(?!\*)")
MAX_LENGTH = 64

# Scales with an offset: converting them by a factor alone would be wrong, so each is a dimension of its own.
_OFFSET_SCALES = frozenset({"degC", "degF"})


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """One parsed unit.

    Attributes:
        text: the canonical text, for instance ``"mV"``; parsing it gives the same unit again.
        dimensionality: the ``quantities`` dimensionality, shared by every quantity of this unit.
        factor: multiply a magnitude by this to get SI base units.
        dimension: the SI base units as text, for instance ``"s"`` or ``"1/s"``; equal for comparable units.
    """

    text: str
    dimensionality: Any
    factor: float
    dimension: str

    def __str__(self) -> str:
        return self.text


_KEEP = 10_000
_by_text: dict[str, Unit] = {}
_by_dimensionality: dict[tuple[tuple[Any, Any], ...], Unit] = {}
# By the id of the dimensionality that all our quantities of a unit share, and that lives as long as the unit.
_by_shared: dict[int, Unit] = {}


def unit_of(text: str) -> Unit:
    """Parse a unit text.

    Raises:
        UnitError: the text is outside the grammar, unknown, or carries a numeric factor.
    """
    try:
        unit = _by_text.get(text)
    except TypeError:
        unit = None  # a list or the like, which parsing refuses in words
    if unit is None:
        unit = _parse(text)
        _make_room(_by_text)
        _by_text[text] = unit
    return unit


def unit_of_quantity(quantity: pq.Quantity) -> Unit:
    """Give the unit of a quantity.

    Raises:
        UnitError: the unit's text would lose its scale, as that of ``pq.CompoundUnit("0.195*uV")`` does; or it is none.
    """
    if not isinstance(quantity, pq.Quantity):
        raise UnitError(f"{quantity!r} is not a unit; write for instance 'mV' or pq.mV", value=quantity)
    dimensionality = quantity._dimensionality
    shared = _by_shared.get(id(dimensionality))
    if shared is not None:
        return shared
    key = tuple(dimensionality.items())
    unit = _by_dimensionality.get(key)
    if unit is None:
        unit = _from_dimensionality(dimensionality)
        _make_room(_by_dimensionality, _by_shared)
        _by_dimensionality[key] = unit
        _by_shared[id(unit.dimensionality)] = unit
    return unit


def _make_room(*known: dict[Any, Unit]) -> None:
    """Forget every unit when there are very many, which only made-up ones are; they are parsed again where needed."""
    if len(known[0]) >= _KEEP:
        for units in known:
            units.clear()


def _parse(text: str) -> Unit:
    if not isinstance(text, str):
        raise UnitError(f"A unit is text such as 'mV', not {text!r}", value=text)
    flat = _DENOMINATOR.sub(lambda match: "/" + _SINGLE_STAR.sub("/", match[1]), text.strip())
    if len(flat) > MAX_LENGTH or not _GRAMMAR.fullmatch(flat):
        raise UnitError(_refusal(text), value=text)
    try:
        # Names such as None are evaluated too, and give no unit.
        parsed = pq.unit_registry[flat]
        quantity = pq.Quantity(1.0, parsed)
    except (LookupError, SyntaxError, TypeError, ValueError, ArithmeticError):
        raise UnitError(f"Unknown unit {text!r}{_near_unit(flat)}", value=text) from None
    if float(parsed.magnitude) != 1.0:
        raise UnitError(_refusal(text), value=text)
    return unit_of_quantity(quantity)


def _refusal(text: str) -> str:
    shown = text if len(text) <= MAX_LENGTH else text[:MAX_LENGTH] + "..."
    plain = re.sub("[µμ]", "u", text)
    if plain != text and _GRAMMAR.fullmatch(plain):
        remedy = f"write {plain!r} for micro"
    elif re.match(r"\(?[0-9.]+\*", text):
        remedy = "put the factor into the values"
    else:
        remedy = "write for instance 'mV' or '1/s'"
    return f"{shown!r} is not a unit: names joined by * and /, with small powers, no numbers and no brackets; {remedy}"


def _near_unit(text: str) -> str:
    known = {"khz": "kHz", "hz": "Hz", "mhz": "MHz", "msec": "ms", "usec": "us", "volt": "V", "mv": "mV", "uv": "uV"}
    near = known.get(text.lower())
    return f"; did you mean {near!r}?" if near else "; any unit that the package quantities knows is accepted"


def _from_dimensionality(dimensionality: Any) -> Unit:
    text = _text(dimensionality)
    own = [name for name in _NAME.findall(text) if name not in _names_of_quantities()] if "(" not in text else []
    if own:
        raise UnitError(
            f"The unit {text!r} cannot be stored: {own[0]!r} was made in this program, and another one could not read "
            "it. Rescale the values to a unit that the package quantities has",
            value=text,
        )
    try:
        simplified = pq.Quantity(1.0, dimensionality).simplified
    except ValueError:  # some electrostatic units of quantities have no way to SI
        raise UnitError(f"The unit {text!r} cannot be converted to SI units", value=text) from None
    if not _same_scale(text, dimensionality, simplified):
        raise UnitError(
            f"The unit {text!r} cannot be stored: its text does not say its scale. Rescale the values to a plain unit "
            "such as uV, or keep the raw values with gain and offset",
            value=text,
        )
    factor = float(simplified.magnitude)
    if not 0 < factor < math.inf:
        raise UnitError(f"The unit {text!r} is too small or too large to compute with", value=text)
    dimension = text if text in _OFFSET_SCALES else _spelled(simplified.dimensionality)
    return Unit(text, dimensionality, factor, dimension)


@cache
def _names_of_quantities() -> frozenset[str]:
    """The units that every program has: those in the modules of quantities, under each of their names."""
    names: set[str] = set()
    for module in [module for name, module in sys.modules.items() if name.startswith("quantities.")]:
        for name, unit in vars(module).items():
            if isinstance(unit, pq.UnitQuantity):
                names.update((name, unit.symbol, unit.name, *unit._aliases))
    return frozenset(names)


def _text(dimensionality: Any) -> str:
    text = _spelled(dimensionality)
    if "(" not in text:
        return text
    above, below = _factors(sorted(dimensionality.items(), key=lambda item: item[0].symbol))
    return "/".join(("*".join(above) or "1", *below))


def _spelled(dimensionality: Any) -> str:
    """Spell a dimensionality as quantities does, but for powers such as 10, of which it leaves out the zero."""
    above, below = _factors(sorted(dimensionality.items(), key=lambda item: item[0].format_order))
    text = "*".join(above) or ("1" if below else "dimensionless")
    if not below:
        return text
    return f"{text}/{below[0]}" if len(below) == 1 else f"{text}/({'*'.join(below)})"


def _factors(powers: list[tuple[Any, Any]]) -> tuple[list[str], list[str]]:
    above = [_power(unit.symbol, power) for unit, power in powers if power > 0]
    return above, [_power(unit.symbol, -power) for unit, power in powers if power < 0]


def _power(symbol: str, power: Any) -> str:
    return symbol if power == 1 else f"{symbol}**{power:.15g}"


def _same_scale(text: str, dimensionality: Any, simplified: pq.Quantity) -> bool:
    if len(text) > MAX_LENGTH or not _GRAMMAR.fullmatch(text):
        return False
    try:
        again = pq.Quantity(1.0, pq.unit_registry[text])
    except (LookupError, SyntaxError, TypeError, ValueError, ArithmeticError):
        return False
    other = again.simplified
    # Factors multiplied in another order differ by rounding.
    same_factor = math.isclose(float(other.magnitude), float(simplified.magnitude), rel_tol=1e-12)
    return bool(other.dimensionality == simplified.dimensionality and same_factor)
