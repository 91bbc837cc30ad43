"""Everyday tasks of a lab, as they are written down."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime

import numpy as np
import pytest
import quantities as pq

from gnode_orm import (
    AnalogSignal,
    Block,
    Document,
    Property,
    Section,
    Segment,
    Session,
    Value,
    connect,
)
from gnode_orm.errors import ConflictError, SessionError, StoreUnavailable
from gnode_orm.sentinels import NOT_GIVEN
from gnode_orm.testing import FaultyStore, example_block, example_lab


@pytest.fixture
def place(tmp_path):
    """A lab with an experiment that was entered by hand."""
    with Session(tmp_path / "lab", username="me") as s, s.begin():
        doc = Document(author="me", date=date(2026, 11, 22))
        stimulus = Section("Stimulus", type="stimulus", document=doc)
        Value("45", unit="deg", property=Property("Orientation", section=stimulus))
        block = Block("2026-10 cell 3", metadata=stimulus)
        for number in range(3):
            trial = Segment(f"Trial {number:02}", block=block)
            trial.annotations["orientation"] = 45 * (1 + number % 2) * pq.deg
            AnalogSignal(
                signal=np.full(100, float(number)) * pq.mV, sampling_rate=20 * pq.kHz, t_start=0 * pq.s,
                segment=trial, name="IN 0",
            )  # fmt: skip
        s.add(block)
    return tmp_path / "lab"


def test_an_experiment_entered_by_hand(place):
    with Session(place, username="me") as s:
        block = s.query(Block).one()
        assert block.metadata.document.author == "me"
        assert block.metadata.properties[0].values[0].data == "45"
        assert block.metadata.blocks == [block]
        assert block.segments[1].annotations["orientation"] == 90 * pq.deg


def test_trials_of_one_orientation_averaged(place):
    with Session(place, username="me") as s:
        q = (
            s.query(AnalogSignal)
            .where(
                AnalogSignal.segment.annotations["orientation"] == 45 * pq.deg, AnalogSignal.sampling_rate > 10 * pq.kHz
            )
            .with_("segment")
        )
        mean = np.mean([x.magnitude for x in s.load_arrays(q.all())], axis=0)
    assert mean.tolist() == [1.0] * 100


def test_labels_corrected_and_reviewed_before_the_write(place):
    with Session(place, username="me") as s:
        for signal in s.query(AnalogSignal).where(
            AnalogSignal.name == "IN 0", AnalogSignal.segment.block.name.startswith("2026-10")
        ):
            signal.name = "Im"
            signal.signal = signal.signal.with_unit("pA")
        plan = s.plan()
        assert str(plan).count("'IN 0' -> 'Im'") == 3
        assert plan.to_dataframe()["op"].tolist() == ["set"] * 6
        s.query(Block).one().name = "something else"
        with pytest.raises(SessionError):
            s.commit("gain wrong, notebook p. 12", plan=plan)
        s.commit("gain wrong, notebook p. 12", plan=s.plan())
    with Session(place, username="me") as s:
        assert {(x.name, x.signal.unit) for x in s.query(AnalogSignal)} == {("Im", "pA")}
        assert s.history(s.query(AnalogSignal).first())[-1].message == "gain wrong, notebook p. 12"


def test_two_people_edit_one_block(place):
    with connect(place, username="me") as lab, lab.session() as mine, lab.session() as other:
        for session, key in ((other, "theirs"), (mine, "mine")):
            session.query(Block).one().annotations[key] = True
        other.commit()
        with pytest.raises(ConflictError) as failure:
            mine.commit()
        (conflict,) = failure.value.conflicts
        assert (conflict.field, conflict.key) == ("annotations", "mine")
        assert (conflict.base, conflict.mine, conflict.theirs) == (NOT_GIVEN, True, NOT_GIVEN)
        failure.value.resolve("merge")
        mine.commit()
        assert mine.query(Block).one().annotations == {"mine": True, "theirs": True}


def test_sharing_and_taking_back(place):
    with Session(place, username="me") as s:
        block = s.query(Block).one()
        s.share(block, "jeff", "read")
        assert s.access(block) == {"jeff": "read"}
        with Session(place, username="jeff") as theirs:
            assert theirs.get(block.location).name == block.name
        s.unshare(block, "jeff")
        with Session(place, username="jeff") as theirs:
            assert theirs.get(block.location) is None


def test_the_state_that_a_paper_used(place):
    submitted = datetime.now(UTC)
    with Session(place, username="me") as s:
        block = s.query(Block).one()
        block.name = "renamed"
        s.commit()
        with Session(place, username="me", at=submitted) as then:
            assert then.get(block.location).name == "2026-10 cell 3"
        assert len(s.history(block)) == 2


def test_an_application_with_a_session_a_request(place):
    with connect(place, username="me") as lab:
        with lab.session(readonly=True) as s:
            listed = [t.model_dump(mode="json") for t in s.query(Segment).limit(50)]
        assert [item["name"] for item in listed] == ["Trial 00", "Trial 01", "Trial 02"]
        assert listed[0]["block"].startswith("/api/v1/electrophysiology/block/")


def test_the_example_lab_for_tests_of_ones_own():
    with example_lab(trials=2) as lab, lab.session() as session:
        block = session.query(Block).with_("segments").one()
        assert [segment.name for segment in block.segments] == ["Trial 01", "Trial 02"]
        assert np.array_equal(
            block.segments[0].analogsignals[0].signal.magnitude,
            example_block(1).segments[0].analogsignals[0].signal.magnitude,
        )


def test_a_faulty_store_in_tests_of_ones_own():
    with example_lab() as lab:
        store = FaultyStore(lab.store)
        store.delay(0.0, "count")
        store.refuse("select")
        with Session(store=store, username="tester") as session:
            assert session.query(Block).count() == 1
            with pytest.raises(PermissionError):
                session.query(Block).all()
            assert session.query(Block).one().name == "Example"
        assert store.calls == ["count", "select", "select"]
        with pytest.raises(ValueError, match="no method 'aply'"):
            store.fail("aply")


def test_a_full_disk_leaves_the_lab_and_the_session_usable(place, monkeypatch):
    from gnode_orm.stores.local import apply as applying

    with Session(place, username="me") as s:
        block = s.query(Block).one()
        block.name = "does not fit"

        def full(work):
            raise sqlite3.OperationalError("database or disk is full")

        monkeypatch.setattr(applying, "update_rows", full)
        with pytest.raises((StoreUnavailable, sqlite3.OperationalError)) as failure:
            s.commit()
        assert isinstance(failure.value, StoreUnavailable)
        assert "full" in str(failure.value)
        monkeypatch.undo()
        with Session(place, username="me") as other:
            assert other.query(Block).one().name == "2026-10 cell 3"
        s.commit()
        assert s.query(Block).filter(name="does not fit").count() == 1
