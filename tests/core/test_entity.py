"""Values of objects that come from a store, and what a session is told of their changes."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest
import quantities as pq

from gnode_orm.core.codec import from_columns, to_columns
from gnode_orm.core.schema import SCHEMA, FieldType
from gnode_orm.core.state import Status
from gnode_orm.errors import DetachedError, UnitError, ValidationFailed
from gnode_orm.location import Location
from gnode_orm.models import MODELS, Block, Document, Event, Section, Segment
from tests.core.tracking import PLACE, Session, loaded


def test_a_loaded_object_reads_from_its_record() -> None:
    original = Block("x", index=3, filedatetime=datetime(2014, 3, 21, tzinfo=UTC), annotations={"a": (1, 2)})
    block = loaded(original)
    assert (block.name, block.index, block.safety_level) == ("x", 3, 3)
    assert block.filedatetime == datetime(2014, 3, 21, tzinfo=UTC)
    assert block.annotations == {"a": (1, 2)}
    assert block.location == Location(PLACE)
    assert (block.id, block.owner) == ("2DFA548ESC", "ada")
    assert block.modified == block.date_created == datetime(1970, 1, 1, 0, 0, 0, 7, tzinfo=UTC)
    assert len(block.guid) == 32


def test_documents_and_booleans_read_from_their_records() -> None:
    document = loaded(Document("me", date=date(2014, 3, 21)), location="document/2DFA548ESC")
    assert document.date == date(2014, 3, 21)
    section = loaded(Section("s", is_template=True), location="section/2DFA548ESC")
    assert section.is_template is True


def test_a_change_keeps_what_was_there_and_tells_the_session_once() -> None:
    session = Session()
    block = loaded(Block("x", annotations={"a": [1]}), session)
    block.name = "y"
    block.name = "z"
    block.annotations["a"].append(2)
    assert session.changed == [block]
    for name, value in block._state.original.items():
        block._restore(name, value)
    assert block.name == "x"
    assert block.annotations == {"a": [1]}


def test_a_refused_assignment_tells_the_session_nothing() -> None:
    session = Session()
    block = loaded(Block("x"), session)
    with pytest.raises(ValidationFailed):
        block.name = 3  # type: ignore[assignment]
    with pytest.raises(ValidationFailed):
        block.annotations["a"] = object()
    assert session.changed == []
    assert block._state.original is None


def test_what_was_set_is_restored_to_what_was_set_before() -> None:
    block = Block("x", annotations={"a": 1}, ext={"e": 1})
    block._enter(None, None, Status.PERSISTENT, id=2**46, version=1)
    block.annotations = {"b": 2}
    block._set_ext({"e": 2})
    block.name = None
    state = block._state
    assert state is not None
    assert state.original is not None
    for name, value in state.original.items():
        block._restore(name, value)
    assert (block.name, block.annotations, block.ext) == ("x", {"a": 1}, {"e": 1})
    with pytest.raises(TypeError, match="cannot be edited"):
        block.ext["e"] = 3  # type: ignore[index]


def test_a_foreign_key_is_loaded_at_first_use_and_held() -> None:
    block = loaded(Block("x"))
    session = Session(block)
    segment = loaded(Segment("s", block=PLACE), session, "segment/2DFA548ESC")
    assert segment.ref("block") == Location(PLACE)
    assert segment.block is block
    session.loaded.clear()
    assert segment.block is block


def test_setting_the_location_that_stands_there_changes_nothing() -> None:
    session = Session()
    segment = loaded(Segment("s", block=PLACE), session, "segment/2DFA548ESC")
    segment.block = PLACE
    segment.block = Location(PLACE)
    assert session.changed == []


def test_without_a_session_a_foreign_key_that_was_not_loaded_cannot_be_read() -> None:
    segment = loaded(Segment("s", block=PLACE), location="segment/2DFA548ESC")
    with pytest.raises(DetachedError, match=r"block .* was not loaded, .* or use ref\('block'\)"):
        segment.block  # noqa: B018
    assert segment.ref("block") == Location(PLACE)


@pytest.mark.parametrize("kind", SCHEMA)
def test_every_field_survives_its_columns_when_empty(kind: str) -> None:
    entity: Any = MODELS[kind]()
    for spec in SCHEMA[kind].fields:
        if spec.type in (FieldType.REF, FieldType.ARRAY):
            continue
        columns = to_columns(spec, entity._raw(spec.name))
        assert len(columns) == len(spec.write_columns)
        again = entity._watched(spec.name, from_columns(spec, columns[: len(spec.read_columns)], None))
        assert again == entity._raw(spec.name)


def test_a_class_is_built_when_it_is_first_used_and_says_its_signature_before() -> None:
    script = (
        "import inspect\nfrom gnode_orm import Block, Segment\n"
        "print('index' in inspect.signature(Segment).parameters, Block.__pydantic_complete__)\n"
        "Block('x')\nprint(Block.__pydantic_complete__)"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["True", "False", "True"]


def test_a_quantity_given_as_number_and_unit_is_made_when_it_is_read():
    event = Event(label="e", time=(0.5, "ms"))
    assert "time" not in vars(event)
    assert event.time == 0.5 * pq.ms
    assert event.time is event.time


def test_a_quantity_that_nobody_read_is_in_copies_pickles_and_dumps():
    event = Event(label="e", time=(0.5, "ms"))
    for twin in (copy.copy(event), pickle.loads(pickle.dumps(Event(time=(0.5, "ms")))), event.model_copy()):
        assert twin.time == 0.5 * pq.ms
    assert Event(time=(0.5, "ms")).model_dump(mode="json")["time"] == {"value": 0.5, "unit": "ms"}


def test_a_quantity_that_nobody_read_gives_way_to_a_new_one():
    event = Event(time=(0.5, "ms"))
    event.time = (2.0, "s")
    assert event.time == 2.0 * pq.s


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -0.0])
def test_numbers_that_databases_change_are_kept_exactly_from_the_start(number):
    event = Event(time=(number, "s"))
    assert event.time.magnitude.tobytes() == np.float64(number).tobytes()


def test_a_number_with_a_unit_of_another_dimension_is_refused():
    with pytest.raises(UnitError, match="is not a time"):
        Event(time=(0.5, "mV"))


def test_threads_that_read_values_first_get_the_same() -> None:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    events = [Event(time=(5.0, "ms"), annotations={"n": 1}) for _ in range(2000)]
    together = threading.Barrier(4)

    def read() -> list[tuple[Any, Any]]:
        together.wait()
        return [(event.time, event.annotations) for event in events]

    try:
        with ThreadPoolExecutor(4) as pool:
            found = [item.result() for item in [pool.submit(read) for _ in range(4)]]
    finally:
        sys.setswitchinterval(interval)
    assert all(times == 5 * pq.ms and notes == {"n": 1} for one in found for times, notes in one)
    assert all(
        one is first
        for others in zip(*found, strict=True)
        for pair in others
        for one, first in zip(pair, others[0], strict=True)
    )
