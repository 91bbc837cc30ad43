"""Tracking: what counts as a change, what does not, and that no edit slips by."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
import quantities as pq

from gnode_orm import AnalogSignal, Block, Event, EventArray, Segment
from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.errors import ValidationFailed

STORES = ("memory", "postgres")


@pytest.fixture
def block(lab, session):
    """A stored block with annotations, in its session."""
    block = Block("b", description="d", **lab.notes(deep={"list": [1, {"x": 2}]}, plain=1))
    session.add(block)
    session.commit()
    return block


@pytest.fixture
def signal(session):
    """A stored signal below a segment, in its session."""
    values = np.array([1.0, np.nan, -0.0])
    signal = AnalogSignal(signal=(values, "mV"), sampling_rate=(1.0, "kHz"), t_start=(0.0, "s"), segment=Segment("s"))
    session.add(signal)
    session.commit()
    return signal


@pytest.mark.needs("Annotations")
def test_a_change_is_told_from_a_value_that_nobody_had_read(lab, session):
    event = Event(label="a", time=(5.0, "ms"), segment=Segment("s"), **lab.notes(n=1))
    session.add(event)
    session.commit()
    event.time, event.annotations["n"] = (5.0, "ms"), 1
    assert session.dirty == []
    event.time, event.annotations["n"] = (6.0, "ms"), 2
    assert session.dirty == [event]
    session.rollback()
    assert (event.time, event.annotations) == (5 * pq.ms, {"n": 1})


@pytest.mark.statement(18)
@pytest.mark.needs("Annotations")
def test_setting_an_equal_value_is_no_change(lab, session, block):
    lab.forget()
    block.name = "b"
    block.annotations["plain"] = 1
    assert not session.is_modified(block)
    assert session.dirty == []
    assert session.commit().counts == {}
    assert lab.calls == []


@pytest.mark.statement(19)
@pytest.mark.needs("Annotations")
def test_setting_and_setting_back_is_no_change(lab, session, block):
    lab.forget()
    block.name = "other"
    block.annotations["deep"]["list"].append(3)
    assert set(session.changes(block)) == {"name", "annotations"}
    block.name = "b"
    block.annotations["deep"]["list"].pop()
    assert session.changes(block) == {}
    session.commit()
    assert lab.calls == []


@pytest.mark.statement(20)
def test_only_changed_fields_are_written(lab, session, block):
    block.name = "n"
    plan = session.plan()
    assert [item.field for item in plan] == ["name"]
    assert plan.updates[0].values == {"name": "n"}


@pytest.mark.statement(26)
@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda a: a.update(new=1), {"deep": {"list": [1, {"x": 2}]}, "plain": 1, "new": 1}),
        (lambda a: a["deep"]["list"][1].update(x=3), {"deep": {"list": [1, {"x": 3}]}, "plain": 1}),
        (lambda a: a["deep"]["list"].append(9), {"deep": {"list": [1, {"x": 2}, 9]}, "plain": 1}),
        (lambda a: a["deep"]["list"].__setitem__(0, True), {"deep": {"list": [True, {"x": 2}]}, "plain": 1}),
        (lambda a: a["deep"]["list"].reverse(), {"deep": {"list": [{"x": 2}, 1]}, "plain": 1}),
        (lambda a: a["deep"].pop("list"), {"deep": {}, "plain": 1}),
        (lambda a: a.__delitem__("plain"), {"deep": {"list": [1, {"x": 2}]}}),
        (lambda a: a.clear(), {}),
        (lambda a: a.__setitem__("plain", 1.0), {"deep": {"list": [1, {"x": 2}]}, "plain": 1.0}),
    ],
)
@pytest.mark.needs("Annotations")
def test_edits_in_place_at_any_depth_are_written_and_can_be_undone(lab, session, block, edit, expected):
    before = {"deep": {"list": [1, {"x": 2}]}, "plain": 1}
    edit(block.annotations)
    assert session.dirty == [block]
    session.rollback()
    assert block.annotations == before
    assert session.dirty == []
    edit(block.annotations)
    session.commit()
    with lab.session() as other:
        stored = other.get(block.location).annotations
        assert stored == expected
        assert type(stored.get("plain")) is type(expected.get("plain"))


def test_annotations_held_from_before_a_rollback_are_still_those_of_the_object(session, block):
    held = block.annotations
    held["new"] = 1
    session.rollback()
    held["later"] = 2
    assert block.annotations is held
    assert session.changes(block)["annotations"][1]["later"] == 2


@pytest.mark.needs("Annotations")
def test_an_edit_in_place_is_written_though_nobody_holds_the_object(lab, session, block):
    with lab.session() as other:
        other.get(block.location).annotations["deep"]["list"].append("kept")
        gc.collect()
        other.commit()
    session.refresh(block)
    assert block.annotations["deep"]["list"][-1] == "kept"


@pytest.mark.statement(21)
def test_arrays_are_compared_by_content_dtype_shape_and_unit(session, signal):
    same = np.array([1.0, np.nan, -0.0])
    signal.signal = (same, "mV")
    assert not session.is_modified(signal)
    for other in (
        (np.array([1.0, np.nan, 0.0]), "mV"),
        (same.astype("f4"), "mV"),
        (same.reshape(1, 3), "mV"),
        (same, "uV"),
        (same[:2], "mV"),
    ):
        signal.signal = other
        assert session.is_modified(signal)
    signal.signal = (same, "mV")
    assert not session.is_modified(signal)


@pytest.mark.statement(21)
def test_quantities_are_compared_by_number_and_unit_as_written(session, signal):
    signal.t_start = 0.0 * pq.s
    signal.sampling_rate = 1 * pq.kHz
    assert not session.is_modified(signal)
    signal.sampling_rate = 1000 * pq.Hz
    assert [item.field for item in session.plan()] == ["sampling_rate"]


@pytest.mark.statement(22)
def test_changing_a_quantity_in_place_is_written_or_refused(lab, session, signal):
    before = signal.sampling_rate
    try:
        signal.sampling_rate += 1 * pq.kHz
    except ValueError:
        assert signal.sampling_rate == before
    else:
        old, new = session.changes(signal)["sampling_rate"]
        assert (old, new) == (1 * pq.kHz, 2 * pq.kHz)
        session.commit()
        with lab.session() as other:
            assert other.get(signal.location).sampling_rate == 2 * pq.kHz


@pytest.mark.statement(23)
def test_elements_of_an_array_cannot_be_changed_in_place(session, signal):
    loaded = signal.signal[:]
    with pytest.raises(ValueError, match="read-only"):
        loaded[0] = 5 * pq.mV
    with pytest.raises(TypeError):
        signal.signal[0] = 5
    assert not session.is_modified(signal)


@pytest.mark.parametrize("size", [3, 50_000])
def test_an_array_changed_by_its_owner_after_add_is_written_as_at_commit(lab, session, size):
    values = np.zeros(size)
    signal = session.add(AnalogSignal(signal=(values, "mV"), sampling_rate=(1, "Hz"), t_start=(0, "s")))
    values[0] = 7
    session.commit()
    values[0] = 99
    assert signal.signal[0] == 7 * pq.mV
    with lab.session() as other:
        assert other.get(signal.location).signal[0] == 7 * pq.mV


@pytest.mark.parametrize("size", [3, 50_000])
def test_after_a_commit_an_array_is_a_handle_on_what_was_stored(session, size):
    values = np.arange(size, dtype="f8")
    signal = session.add(AnalogSignal(signal=(values, "mV"), sampling_rate=(1, "Hz"), t_start=(0, "s")))
    watch = weakref.ref(values)
    session.commit()
    assert isinstance(signal.signal, ArrayHandle)
    assert signal.signal.ref is not None
    del values
    gc.collect()
    assert watch() is None
    assert signal.signal[size - 1] == (size - 1) * pq.mV


@pytest.mark.statement(78)
def test_history_of_a_replaced_array_keeps_no_copy(session, signal):
    old = signal.signal
    signal.signal = (np.ones(3), "mV")
    assert signal._state.original["signal"] is old


def test_relabelling_an_array_sends_no_samples(lab, session, signal):
    lab.forget()
    signal.signal = signal.signal.with_unit("pA")
    session.commit()
    assert lab.calls == ["apply"]
    assert signal.signal.unit == "pA"
    assert np.array_equal(signal.signal.magnitude, [1.0, np.nan, 0.0], equal_nan=True)


@pytest.mark.statement(24)
@pytest.mark.needs("None for a foreign key")
def test_setting_none_to_a_foreign_key_is_written_as_none(lab, session, signal):
    signal.segment = None
    session.commit()
    with lab.session() as other:
        assert other.get(signal.location).segment is None


@pytest.mark.statement(24)
def test_a_field_cannot_be_deleted(session, signal):
    with pytest.raises(AttributeError, match="set it to None"):
        del signal.segment
    assert not session.is_modified(signal)


@pytest.mark.statement(25)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sampling_rate", 5 * pq.mV),
        ("sampling_rate", 10),
        ("sampling_rate", -1 * pq.Hz),
        ("signal", (np.array([object()]), "mV")),
        ("t_start", "9**9**9"),
        ("segment", "block/1000000000"),
        ("annotations", {"x": object()}),
        ("name", "nul\0"),
        ("nmae", "x"),
    ],
)
def test_a_refused_value_leaves_everything_as_it_was(session, signal, name, value):
    before = {field: signal._raw(field) for field in type(signal).__spec__.by_name}
    with pytest.raises(ValidationFailed):
        setattr(signal, name, value)
    assert not session.is_modified(signal)
    assert session.dirty == []
    after = {field: signal._raw(field) for field in type(signal).__spec__.by_name}
    assert all(before[field] is after[field] or before[field] == after[field] for field in before)


@pytest.mark.statement(25)
@pytest.mark.needs("Annotations")
def test_a_refused_annotation_in_place_leaves_everything_as_it_was(session, block):
    with pytest.raises(ValidationFailed):
        block.annotations["deep"]["list"].append(object())
    with pytest.raises(ValidationFailed):
        block.annotations.update(ok=1, bad=object())
    assert not session.is_modified(block)
    assert block.annotations == {"deep": {"list": [1, {"x": 2}]}, "plain": 1}


@pytest.mark.statement(30)
def test_asking_whether_something_is_modified_reads_nothing(lab, stored_block):
    with lab.session() as session:
        block = session.get(stored_block)
        lab.forget()
        assert not session.is_modified(block)
        block.annotations["x"] = 1
        assert session.is_modified(block)
        assert session.dirty == [block]
        assert session.changes(block)["annotations"] == ({}, {"x": 1})
        assert lab.calls == []
        session.rollback()


@pytest.fixture
def stored_block(lab):
    """Location of a plain block."""
    with lab.session() as session:
        block = session.add(Block("plain"))
        session.commit()
        return block.location


@pytest.mark.statement(27)
def test_nothing_is_dirty_after_commit_and_after_rollback(session, block):
    block.name = "x"
    session.commit()
    assert (session.new, session.dirty, session.deleted) == ([], [], [])
    block.name = "y"
    session.add(Segment("s", block=block))
    session.rollback()
    assert (session.new, session.dirty, session.deleted) == ([], [], [])
    assert block.name == "x"
    assert list(block.segments) == []


def test_loading_fields_and_relations_is_no_change(lab, session, signal):
    with lab.session() as other:
        again = other.get(signal.location)
        repr(again)
        again.model_dump(mode="json")
        list(again.segment.analogsignals)
        again.annotations.get("x")
        assert other.dirty == []
        assert not other.is_modified(again)


@pytest.mark.statement(89)
def test_several_wrong_objects_are_reported_in_one_error_before_any_request(lab, session):
    one = session.add(EventArray(times=([1.0, 2.0], "s"), labels=["a", "b"]))
    two = session.add(EventArray(times=([1.0, 2.0], "s"), labels=["a", "b"]))
    fine = session.add(Event(time=(1, "s"), label="e"))
    one.labels = ["a"]
    two.labels = ["a", "b", "c"]
    lab.forget()
    with pytest.raises(ValidationFailed, match="Nothing was written") as failure:
        session.commit()
    assert str(failure.value).count("labels") >= 2
    assert lab.calls == []
    assert session.new == [one, two, fine]
    one.labels, two.labels = ["a", "b"], ["c", "d"]
    assert session.commit().counts == {"create EventArray": 2, "create Event": 1}
