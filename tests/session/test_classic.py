"""The page that the project exists to make good: its examples work, and its traps are gone or told."""

from __future__ import annotations

import datetime as dt

import neo
import numpy as np
import odml
import pytest
import quantities as pq

import gnode_orm
from gnode_orm import AnalogSignal, Block, Document, Segment
from gnode_orm.errors import DetachedError, DuplicateUploadWarning, NativeChangedWarning, QueryError, ValidationFailed

STORES = ("memory",)


def test_set_leaves_its_argument_untouched_and_returns_the_stored_model(session):
    native = neo.Block("A cool block")
    block = session.set(native)
    assert isinstance(block, Block)
    assert block.location is not None
    assert not hasattr(native, "location")
    block.name = "A really cool block"
    assert session.set(block) is block
    assert session.query(Block).one().name == "A really cool block"


def test_setting_an_unstored_native_twice_makes_two_objects_and_warns(session):
    native = neo.Block("A cool block")
    session.set(native)
    native.name = "A really cool block"
    with pytest.warns(DuplicateUploadWarning, match="returns"):
        session.set(native)
    assert {block.name for block in session.select("block")} == {"A cool block", "A really cool block"}


def test_setting_an_unstored_model_copies_it(session):
    segment = Segment("s", block=Block("b"))
    stored = session.set(segment)
    assert (segment.location, segment.block.location) == (None, None)
    assert stored.block.location is not None
    with pytest.warns(DuplicateUploadWarning):
        session.set(segment)


def test_set_writes_parents_and_set_all_what_is_below(session):
    native = neo.Block("b")
    native.segments.append(neo.Segment("s"))
    session.set(native)
    assert session.query(Segment).count() == 0
    session.set_all(native)
    assert session.query(Segment).one().block.name == "b"


def test_the_examples_of_the_page(lab, session):
    block = session.set(neo.Block("Experiment One"))
    segment = session.set(neo.Segment("Trial 01"))
    segment.block = block
    segment = session.set(segment)
    signal_data = pq.Quantity(np.random.default_rng(1).random(100), "mV")
    signal = session.set(AnalogSignal(signal=signal_data, t_start=100 * pq.ms, sampling_rate=1 * pq.kHz))
    signal.segment = segment
    signal = session.set(signal)
    with lab.session() as other:
        again = other.get(f"electrophysiology/analogsignal/{signal.id}")
        assert again.segment.block.name == "Experiment One"
        assert np.array_equal(again.signal.magnitude, signal_data.magnitude)
        assert (again.t_start, again.sampling_rate) == (100 * pq.ms, 1 * pq.kHz)


def test_appending_to_the_parent_has_an_effect_now(lab, session):
    block, segment = session.set(neo.Block("b")), session.set(neo.Segment("s"))
    block.segments.append(segment)
    session.set(block)
    with lab.session() as other:
        assert other.get(segment.location).block.location == block.location


def test_updating_what_was_fetched(lab, session):
    places = [session.set(neo.Block("b")).id, session.set(neo.Segment("s")).id]
    with lab.session() as other:
        block = other.get(f"electrophysiology/block/{places[0]}")
        segment = other.get(f"electrophysiology/segment/{places[1]}")
        segment.name = "Trial 100"
        segment.block = block
        segment = other.set(segment)
    session.clear_cache()
    assert session.get(f"segment/{places[1]}").block.name == "b"


def test_select_takes_lookups(session):
    session.add_all([Segment("Trial 1"), Segment("Trial 2"), Segment("other")])
    session.commit()
    assert [item.name for item in session.select("segment", {"name__startswith": "Trial"})] == ["Trial 1", "Trial 2"]
    with pytest.raises(ValidationFailed, match="did you mean 'segment'"):
        session.select("segmnt")


def test_create_and_close(tmp_path):
    session = gnode_orm.create(tmp_path / "lab")
    block = session.set(neo.Block("b"))
    gnode_orm.close(session)
    assert block.name == "b"


def test_close_without_a_session_closes_those_of_create_alone(tmp_path, session):
    created = [gnode_orm.create(tmp_path / name) for name in ("one", "two")]
    gnode_orm.close()
    for item in created:
        with pytest.raises(DetachedError):
            item.query(Block).count()
    assert session.query(Block).count() == 0
    gnode_orm.close()


def test_adding_a_native_twice_updates_its_model_new_children_included(session):
    native = neo.Block("b")
    block = session.add(native)
    session.commit()
    native.name = "renamed"
    native.segments.append(neo.Segment("s"))
    assert session.add(native) is block
    session.commit()
    assert (block.name, [segment.name for segment in block.segments]) == ("renamed", ["s"])
    assert session.query(Block).count() == 1


def test_a_native_edited_since_it_was_added_warns_at_commit(session):
    native = neo.Block("b")
    block = session.add(native)
    session.commit()
    native.annotations["x"] = 1
    with pytest.warns(NativeChangedWarning, match="add them again"):
        session.commit()
    assert block.annotations == {}
    session.commit()


def test_a_native_that_was_not_edited_does_not_warn(session):
    native = neo.Block("b")
    native.segments.append(neo.Segment("s"))
    native.segments[0].analogsignals.append(neo.AnalogSignal([1.0, 2.0], units="mV", sampling_rate=1 * pq.kHz))
    block = session.add(native)
    session.commit()
    block.name = "the model"
    session.commit()
    assert block.name == "the model"


def test_an_odml_document_is_added_and_updated(session):
    native = odml.Document(author="me")
    section = odml.Section(name="s", type="t", parent=native)
    odml.Property(name="p", values=[1, 2], unit="mV", parent=section)
    document = session.add(native)
    session.commit()
    assert isinstance(document, Document)
    assert len(document.sections[0].properties[0].values) == 2
    native.author = "you"
    assert session.add(native) is document
    session.commit()
    assert document.author == "you"


def test_what_is_neither_model_nor_native_is_refused(session):
    with pytest.raises(ValidationFailed, match="neo or odML"):
        session.add("a block")
    with pytest.raises(ValidationFailed, match="neo or odML"):
        session.set(3)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"limit": 2}, "ab"),
        ({"limit": "2", "offset": "1"}, "bc"),
        ({"index__in": "7,9"}, "ac"),
        ({"index__gte": "8"}, "bc"),
        ({"index__range": "7,8"}, "ab"),
        ({"description__isnull": "False"}, "a"),
        ({"description__isnull": "1"}, "bc"),
        ({"filedatetime__lt": "2014-01-01"}, "a"),
        ({"filedatetime__year": "2015"}, "b"),
        ({"owner__username": "ann", "name__in": "a,c"}, "ac"),
        ({"block__name": "home"}, "abc"),
        ({"block__name": "elsewhere"}, ""),
        ({"id__in": ""}, ""),
    ],
)
def test_filters_may_be_text_as_in_an_address(session, filters, expected):
    block = Block("home")
    when = [dt.datetime(2013, 5, 1), dt.datetime(2015, 5, 1), None]  # noqa: DTZ001
    for number, name in enumerate("abc"):
        text = "text" if name == "a" else None
        Segment(name, index=7 + number, description=text, filedatetime=when[number], block=block)
    session.set_all(block)
    assert "".join(segment.name for segment in session.select("segment", filters)) == expected


def test_ids_may_be_given_as_they_are(session):
    block = session.set(Block("b"))
    segments = [session.set(Segment(name, block=block)) for name in "ab"]
    assert session.select("segment", {"block": block.id}) == segments
    assert session.select("segment", {"block__in": block.id, "name": "b"}) == segments[1:]
    assert session.select("segment", {"id__in": ",".join(segment.id for segment in segments)}) == segments
    assert session.select("segment", {"block__id": block.id, "id": segments[0].id}) == segments[:1]


@pytest.mark.parametrize("filters", [{"limit": "many"}, {"index": "seven"}, {"filedatetime__gt": "soon"}])
def test_a_filter_that_its_field_cannot_have_is_told(session, filters):
    with pytest.raises(QueryError, match=r"many|seven|soon"):
        session.select("segment", filters)
