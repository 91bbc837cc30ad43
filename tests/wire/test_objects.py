"""Records to JSON and back: a merge that changes what it names, and keeps exact what JSON shows rounded."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnode_orm.core.schema import SCHEMA
from gnode_orm.errors import ValidationFailed
from gnode_orm.ids import decode_id
from gnode_orm.wire.kinds import wire_kind
from gnode_orm.wire.parsing import BadRequest, no_columns, parse, read_time
from gnode_orm.wire.rendering import own_values


def by_id(kind: str, sent: Any, field: str) -> int:
    return decode_id(sent)


def made(kind: str, **body: Any) -> dict[str, Any]:
    return {**no_columns(wire_kind(kind)), **parse(kind, body, None, by_id).columns}


@pytest.mark.parametrize("kind", SCHEMA)
def test_what_is_shown_of_an_empty_object_changes_nothing_when_it_is_sent_back(kind: str) -> None:
    columns = made(kind)
    shown = own_values(wire_kind(kind), columns)
    assert parse(kind, shown, columns, by_id).columns.items() <= columns.items()


@given(
    st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53),
    st.sampled_from(["ms", "s", "us", "min"]),
)
def test_a_number_and_its_unit_come_back(number: float, unit: str) -> None:
    shown = own_values(wire_kind("event"), made("event", time=number, time__unit=unit))
    assert (shown["time"], shown["time__unit"]) == (float(number), unit)


def test_a_number_alone_keeps_the_unit_and_a_unit_alone_the_number() -> None:
    before = made("event", time=3, time__unit="s")
    for body, expected in (({"time": 4}, (4.0, "s")), ({"time__unit": "us"}, (3.0, "us"))):
        after = {**before, **parse("event", body, before, by_id).columns}
        shown = own_values(wire_kind("event"), after)
        assert (shown["time"], shown["time__unit"]) == expected


@pytest.mark.parametrize("unit", [None, ""])
def test_no_unit_is_that_of_the_field(unit: Any) -> None:
    assert own_values(wire_kind("event"), made("event", time=1, time__unit=unit))["time__unit"] == "ms"


def test_text_and_whole_numbers_are_made_of_what_clients_send() -> None:
    assert made("value", data=12.5)["data"] == "12.5"
    assert made("block", index=2.7)["index"] == 2
    assert made("block", index="7")["index"] == 7


def test_unknown_keys_members_and_null_parents_are_left_alone() -> None:
    body = {"foo": 1, "segment_set": "x", "metadata": None, "local_id": "y", "id": "z"}
    assert parse("block", body, None, by_id).columns == {}


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2014-04-10T10:00:00", datetime(2014, 4, 10, 10)),  # noqa: DTZ001
        ("2014-04-10 10:00:00.5", datetime(2014, 4, 10, 10, 0, 0, 500_000)),  # noqa: DTZ001
        ("2014-04-10T10:00:00Z", datetime(2014, 4, 10, 10, tzinfo=UTC)),
        ("2014-04-10", datetime(2014, 4, 10)),  # noqa: DTZ001
        ("10.04.2014", datetime(2014, 4, 10)),  # noqa: DTZ001
    ],
)
def test_times_in_every_form(text: str, moment: datetime) -> None:
    assert read_time(text) == moment


def test_a_time_with_a_zone_is_shown_in_utc() -> None:
    shown = own_values(wire_kind("block"), made("block", filedatetime="2014-04-10T10:00:00+02:00"))
    assert shown["filedatetime"] == "2014-04-10T08:00:00"


@pytest.mark.parametrize("text", ["garbage", "31.02.2014", "0001-01-01T00:00:00+10:00", 5, ["x"]])
def test_what_is_no_time_is_said_as_old_clients_know_it(text: Any) -> None:
    with pytest.raises(BadRequest, match="appear to be a valid datetime string"):
        made("block", filedatetime=text)


def test_a_train_does_not_end_before_it_begins() -> None:
    before = made("spiketrain", t_start=5, t_stop=1, t_stop__unit="s")
    with pytest.raises(ValidationFailed, match="before t_start"):
        parse("spiketrain", {"t_stop__unit": "ms"}, before, by_id)


def test_a_section_has_one_parent() -> None:
    inner = parse("section", {"section": "2DFA548ESC", "document": "2DFA548ESD"}, None, by_id).columns
    assert (inner["section_id"], inner["document_id"]) == (decode_id("2DFA548ESC"), None)


def test_a_unit_for_an_array_that_is_not_there_waits_for_it() -> None:
    columns = made("analogsignal", signal__unit="nA")
    assert own_values(wire_kind("analogsignal"), columns)["signal__unit"] == "nA"
    again = parse("analogsignal", {"signal__unit": "nA"}, columns, by_id).columns
    assert again == {}
    with pytest.raises(ValidationFailed, match="times"):
        made("spiketrain", times__unit="mV")
