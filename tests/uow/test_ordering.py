"""The order of writing: parents first, whatever the order of adding; rings are refused; plans repeat."""

from __future__ import annotations

import itertools
import random

import pytest

from gnode_orm import Block, RecordingChannel, RecordingChannelGroup, Section, Segment
from gnode_orm.core.schema import SCHEMA
from gnode_orm.errors import CycleError, IntegrityError, ValidationFailed
from gnode_orm.models import MODELS

STORES = ("memory", "postgres")


def one_of_each():
    """An object of every kind, each below one of every other kind that it can refer to."""
    made = {}
    for kind, spec in SCHEMA.items():
        made[kind] = MODELS[kind](**{ref.name: made[ref.target] for ref in spec.refs if ref.target in made})
    return made


@pytest.mark.statement(31, 34)
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.needs("Every field")
def test_every_kind_can_be_added_in_any_order(lab, session, seed):
    made = list(one_of_each().values())
    random.Random(seed).shuffle(made)
    session.add_all(made)
    assert sum(session.commit().counts.values()) == len(SCHEMA)
    for entity in made:
        for ref in entity.__spec__.refs:
            if ref.target != entity.kind:
                assert getattr(entity, ref.name).location == entity.ref(ref.name)
    with lab.session() as other:
        for entity in made:
            again = other.get(entity.location)
            assert all(again.ref(ref.name) == entity.ref(ref.name) for ref in entity.__spec__.refs)


@pytest.mark.statement(32)
def test_adding_a_child_adds_its_parents(session):
    segment = Segment("s", block=Block("b", metadata=Section("m")))
    session.add(segment)
    assert set(map(type, session.new)) == {Segment, Block, Section}


@pytest.mark.statement(32)
def test_adding_a_parent_adds_its_children(session):
    block = Block("b")
    block.segments.append(Segment("s"))
    group = RecordingChannelGroup("g", block=block)
    group.recordingchannels.append(RecordingChannel("c"))
    session.add(block)
    assert len(session.new) == 4
    session.commit()
    assert group.recordingchannels[0].location is not None


@pytest.mark.statement(32)
def test_hanging_an_object_below_a_tracked_one_adds_it(session):
    block = session.add(Block("b"))
    by_collection, by_key = Segment("one"), Segment("two", block=block)
    block.segments.append(by_collection)
    assert session.new == [block, by_key, by_collection]


def test_parents_stand_before_children_in_the_plan(session):
    section = Section("inner", section=Section("outer"))
    session.add(Segment("s", metadata=section, block=Block("b")))
    order = [item.obj for item in session.plan()]
    assert order.index(section.section) < order.index(section)


@pytest.mark.statement(36)
def test_twenty_thousand_nested_sections_in_reverse_order(lab):
    if "memory" not in lab.store.target:
        pytest.skip("once is enough")
    session = lab.session()
    sections = [Section(str(number)) for number in range(20_000)]
    for upper, lower in itertools.pairwise(sections):
        lower.section = upper
    session.add_all(reversed(sections))
    lab.forget()
    session.commit()
    assert lab.calls == ["apply"]
    numbers = [item._state.id for item in sections]
    assert numbers == sorted(numbers)
    assert sections[-1].section is sections[-2]
    session.close()


@pytest.mark.statement(37)
def test_a_ring_of_new_sections_is_refused_with_its_members_named(lab, session):
    one, two, three = Section("one"), Section("two"), Section("three")
    one.section, two.section, three.section = two, three, one
    session.add(one)
    lab.forget()
    with pytest.raises(CycleError) as failure:
        session.commit()
    assert all(name in str(failure.value) for name in ("one", "two", "three"))
    assert set(failure.value.cycle) == {one, two, three}
    assert lab.calls == []
    three.section = None
    session.commit()
    assert three.section is None


@pytest.mark.statement(38)
def test_a_section_inside_itself_is_refused(session):
    section = session.add(Section("own"))
    section.section = section
    with pytest.raises(CycleError, match="own"):
        session.commit()


@pytest.mark.statement(37)
def test_a_ring_of_stored_sections_is_refused_with_its_members_named(session):
    top, middle, low = Section("top"), Section("middle"), Section("low")
    middle.section, low.section = top, middle
    session.add(low)
    session.commit()
    top.section = low
    with pytest.raises(CycleError) as failure:
        session.commit()
    assert all(name in str(failure.value) for name in ("top", "middle", "low"))
    session.rollback()
    assert top.section is None
    assert list(low.sections) == []


def test_a_ring_through_a_new_section_is_refused(session):
    top = session.add(Section("top"))
    session.commit()
    fresh = Section("fresh", section=top)
    top.section = fresh
    with pytest.raises(CycleError, match="fresh"):
        session.commit()


@pytest.mark.statement(52)
def test_the_plan_is_the_same_each_time(lab, session):
    def content():
        made = one_of_each()
        session.rollback()
        session.add_all(reversed(list(made.values())))
        return [(item.op, type(item.obj)) for item in session.plan()]

    assert content() == content()
    assert [str(item) for item in session.plan()] == [str(item) for item in session.plan()]
    assert "apply" not in lab.calls


@pytest.mark.statement(35)
@pytest.mark.needs("Deleting what others refer to")
def test_deletes_stand_last_and_children_before_parents(session):
    tree = Section("top")
    lower = Section("low", section=tree)
    block = Block("b", metadata=tree)
    session.add_all([tree, lower, block])
    session.commit()
    session.add(Block("new"))
    session.delete(lower)
    session.delete(tree)
    block.name = "renamed"
    assert [item.op for item in session.plan()] == ["create", "set", "delete", "delete"]
    assert [item.obj for item in session.plan()][2:] == [lower, tree]
    session.commit()
    assert block.metadata is None


@pytest.mark.statement(53)
def test_an_unchanged_object_between_two_changed_ones_is_not_written(session):
    blocks = [session.add(Block(str(number))) for number in range(3)]
    session.commit()
    versions = [block.guid for block in blocks]
    blocks[0].name, blocks[2].name = "x", "y"
    assert session.commit().counts == {"change Block": 2}
    assert [block.guid != before for block, before in zip(blocks, versions, strict=True)] == [True, False, True]


@pytest.mark.statement(54)
def test_only_differences_of_a_many_to_many_collection_are_written(lab, session):
    channels = [RecordingChannel(str(number)) for number in range(4)]
    group = RecordingChannelGroup("g")
    group.recordingchannels = channels[:3]
    session.add(group)
    session.commit()
    group.recordingchannels = channels[1:]
    plan = session.plan()
    assert [(item.op, item.obj) for item in plan if item.op != "create"] == [
        ("link", channels[3]),
        ("unlink", channels[0]),
    ]
    session.commit()
    with lab.session() as other:
        again = other.get(group.location)
        assert [channel.name for channel in again.recordingchannels] == ["1", "2", "3"]
        assert list(other.get(channels[0].location).recordingchannelgroups) == []
    assert list(channels[0].recordingchannelgroups) == []
    assert list(channels[3].recordingchannelgroups) == [group]


@pytest.mark.needs("Channels and their groups")
def test_linking_and_parting_again_writes_nothing(lab, session):
    group, channel = session.add(RecordingChannelGroup("g")), session.add(RecordingChannel("c"))
    session.commit()
    lab.forget()
    group.recordingchannels.append(channel)
    group.recordingchannels.remove(channel)
    assert session.dirty == []
    session.commit()
    assert "apply" not in lab.calls


def test_a_reference_to_an_object_that_was_let_go_is_refused_by_name(lab, session):
    block = session.add(Block("b"))
    segment = session.add(Segment("s", block=block))
    session.expunge(block)
    assert segment not in session
    session.add(segment)
    assert block in session


@pytest.mark.statement(46)
def test_a_reference_to_an_object_deleted_in_the_same_commit_is_refused(lab, session):
    block, segment = Block("b"), Segment("s")
    session.add_all([block, segment])
    session.commit()
    session.delete(block)
    segment.block = block
    lab.forget()
    with pytest.raises(IntegrityError) as failure:
        session.commit()
    assert repr(block) in str(failure.value)
    assert repr(segment) in str(failure.value)
    assert lab.calls == []
    segment.block = None
    session.commit()
    assert session.query(Block).count() == 0


def test_a_reference_to_a_location_that_does_not_exist_is_refused(session):
    session.add(Segment("s", block="block/1000000000"))
    with pytest.raises((IntegrityError, ValidationFailed, LookupError)):
        session.commit()
    assert len(session.new) == 1
    session.new[0].block = None
    session.commit()
