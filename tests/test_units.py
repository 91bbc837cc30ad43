from __future__ import annotations

import builtins
from typing import Any

import pytest
import quantities as pq
from hypothesis import given
from hypothesis import strategies as st

from gnode_orm import units
from gnode_orm.errors import UnitError
from gnode_orm.units import unit_of, unit_of_quantity

REGISTERED: dict[str, Any] = {name: item for name, item in vars(pq).items() if isinstance(item, pq.UnitQuantity)}


@pytest.mark.parametrize(
    ("text", "factor", "dimension"),
    [
        ("mV", 1e-3, "kg*m**2/(s**3*A)"),
        ("s", 1, "s"),
        ("ms", 1e-3, "s"),
        ("Hz", 1, "1/s"),
        ("kHz", 1e3, "1/s"),
        ("1/ms", 1e3, "1/s"),
        ("%", 0.01, "dimensionless"),
        ("m/s**2", 1, "m/s**2"),
        ("uV*s", 1e-6, "kg*m**2/(s**2*A)"),
        ("dimensionless", 1, "dimensionless"),
    ],
)
def test_a_unit_knows_its_scale_and_dimension(text: str, factor: float, dimension: str) -> None:
    unit = unit_of(text)
    assert unit.factor == pytest.approx(factor, rel=1e-12)
    assert unit.dimension == dimension


def test_a_text_is_parsed_once() -> None:
    assert unit_of("mV") is unit_of("mV")
    assert unit_of_quantity(3 * pq.mV) is unit_of_quantity(4.5 * pq.mV)


def test_only_so_many_units_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units, "_by_text", {})
    monkeypatch.setattr(units, "_by_dimensionality", {})
    monkeypatch.setattr(units, "_by_shared", {})
    monkeypatch.setattr(units, "_KEEP", 5)
    texts = [f"{name}**{power}" for name in ("mV", "pA") for power in range(2, 10)]
    first = unit_of(texts[0])
    assert [unit_of(text).text for text in texts] == texts
    assert max(map(len, (units._by_text, units._by_dimensionality, units._by_shared))) <= 5
    assert unit_of_quantity(pq.Quantity(1.0, first.dimensionality)).text == first.text == unit_of(texts[0]).text


class Closed:
    def __getitem__(self, text: str) -> Any:
        raise AssertionError(f"{text!r} must not reach quantities")


@pytest.mark.parametrize(
    "text",
    [
        "9**9**9",
        "10*ms",
        "ms*10",
        "0.195*uV",
        "ms**9**9",
        "(ms)",
        "m s",
        "",
        "*",
        "ms*",
        "1",
        "5 ms",
        "ms;import os",
        "__import__('os')",
        "().__class__",
        "ms" * 100,
        "*".join(["ms"] * 9),
        "ms**1000",
        "µs",
    ],
)
def test_what_the_grammar_refuses_never_reaches_quantities(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units.pq, "unit_registry", Closed())
    with pytest.raises(UnitError, match="is not a unit"):
        unit_of(text)


def test_a_factor_belongs_into_the_values() -> None:
    with pytest.raises(UnitError, match="put the factor into the values"):
        unit_of("10*ms")


@pytest.mark.parametrize("text", ["\N{MICRO SIGN}V", "\N{GREEK SMALL LETTER MU}V"])
def test_the_sign_for_micro_is_answered_with_the_letter(text: str) -> None:
    with pytest.raises(UnitError, match="write 'uV' for micro"):
        unit_of(text)


@pytest.mark.parametrize("text", ["attosecond_", "None", "True", "__builtins__", "volt_", "Ym**99", "pm**99"])
def test_names_that_are_no_units_are_refused(text: str) -> None:
    with pytest.raises(UnitError):
        unit_of(text)


@given(st.sampled_from(sorted(dir(builtins))))
def test_no_builtin_of_python_is_reached(name: str) -> None:
    try:
        unit = unit_of(name)
    except UnitError:
        return
    assert isinstance(pq.unit_registry[name], pq.UnitQuantity)
    assert unit.factor > 0


@pytest.mark.parametrize(("wrong", "meant"), [("khz", "kHz"), ("HZ", "Hz"), ("msec", "ms"), ("mv", "mV")])
def test_a_common_misspelling_is_answered_with_what_was_meant(wrong: str, meant: str) -> None:
    with pytest.raises(UnitError, match=f"did you mean '{meant}'"):
        unit_of(wrong)


@pytest.mark.parametrize("text", [None, 5, b"ms", pq.ms])
def test_a_unit_is_text(text: Any) -> None:
    with pytest.raises(UnitError, match="is text such as 'mV'"):
        unit_of(text)


def kept(name: str) -> bool:
    """Whether the text of a unit says its scale, and the scale is known."""
    try:
        unit_of_quantity(pq.Quantity(1.0, REGISTERED[name]))
    except UnitError:
        return False
    return True


@pytest.mark.parametrize("name", [name for name in sorted(REGISTERED) if kept(name)])
def test_a_unit_of_quantities_keeps_its_scale_as_text(name: str) -> None:
    quantity = pq.Quantity(1.0, REGISTERED[name])
    unit = unit_of_quantity(quantity)
    again = unit_of(unit.text)
    assert again.text == unit.text
    assert again.factor == pytest.approx(unit.factor, rel=1e-12)
    assert unit.factor == float(quantity.simplified.magnitude)
    assert again.dimension == unit.dimension
    assert pq.Quantity(1.0, unit.dimensionality).simplified == quantity.simplified


@pytest.mark.parametrize("power", ["10", "20", "-10", "0.5"])
def test_powers_keep_their_zeros(power: str) -> None:
    unit = unit_of(f"s**{power}")
    assert unit_of(unit.text).dimension == unit.dimension
    assert unit.dimension == ("1/s**10" if power == "-10" else f"s**{power}")


def test_units_are_spelled_as_quantities_spells_them() -> None:
    for name in filter(kept, REGISTERED):
        unit = unit_of_quantity(pq.Quantity(1.0, REGISTERED[name]))
        assert unit.dimension in (unit.text, pq.Quantity(1.0, unit.dimensionality).simplified.dimensionality.string)


def test_most_units_of_quantities_are_kept() -> None:
    assert sum(map(kept, REGISTERED)) > 0.8 * len(REGISTERED)


def test_a_unit_without_a_way_to_si_is_refused() -> None:
    with pytest.raises(UnitError, match="cannot be converted to SI"):
        unit_of_quantity(pq.Quantity(1.0, pq.statampere))


NAMES = st.sampled_from(["s", "ms", "us", "mV", "V", "A", "pA", "Hz", "kHz", "m", "um", "ohm", "degC", "K", "kg"])
FACTORS = st.tuples(NAMES, st.sampled_from(["", "**2", "**-1", "**0.5"])).map("".join)


@given(st.lists(FACTORS, min_size=1, max_size=4), st.lists(st.sampled_from("*/"), min_size=3, max_size=3))
def test_composed_units_survive_as_text(factors: list[str], joints: list[str]) -> None:
    text = factors[0] + "".join(joint + factor for joint, factor in zip(joints, factors[1:], strict=False))
    unit = unit_of(text)
    again = unit_of(unit.text)
    assert again.text == unit.text
    assert again.factor == pytest.approx(unit.factor, rel=1e-12)
    assert again.dimension == unit.dimension


def test_a_compound_unit_that_would_lose_its_scale_is_refused() -> None:
    with pytest.raises(UnitError, match="its text does not say its scale"):
        unit_of_quantity(pq.Quantity(1.0, pq.CompoundUnit("0.195*uV")))


def test_temperatures_with_an_offset_are_not_comparable_with_kelvin() -> None:
    assert len({unit_of(text).dimension for text in ("degC", "degF", "K")}) == 3


def test_a_unit_made_by_this_program_is_refused_since_no_other_could_read_it() -> None:
    own = pq.UnitQuantity("lab_unit", 3 * pq.mV, symbol="lab_u")
    with pytest.raises(UnitError, match="'lab_u' was made in this program"):
        unit_of_quantity(pq.Quantity(1.0, own))
    with pytest.raises(UnitError, match="was made in this program"):
        unit_of("lab_unit")
