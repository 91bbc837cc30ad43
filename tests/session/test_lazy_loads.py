"""Loads one by one are told once they are many: which relation, and the query that loads it for all objects."""

from __future__ import annotations

import warnings

import pytest

from gnode_orm import Block, RecordingChannel, RecordingChannelGroup, Section, Segment
from gnode_orm.errors import LazyLoadWarning

STORES = ("memory",)


@pytest.fixture
def labelled(lab):
    """Twelve stored blocks, each with a section of its own, a segment, and a group with a channel."""
    with lab.session() as session:
        for number in range(12):
            block = session.add(Block(str(number), metadata=Section(str(number))))
            Segment(str(number), block=block)
            group = RecordingChannelGroup(str(number), block=block)
            group.recordingchannels.append(RecordingChannel(str(number)))
        session.commit()
    lab.forget()


@pytest.fixture
def told(monkeypatch):
    """The warnings of a test."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield caught


def texts(told):
    return [str(item.message) for item in told]


def test_the_tenth_load_of_a_collection_warns_and_names_what_would_have_loaded_it(session, labelled, told):
    blocks = session.query(Block).all()
    for block in blocks[:9]:
        len(block.segments)
    assert told == []
    len(blocks[9].segments)
    (warning,) = told
    assert warning.category is LazyLoadWarning
    assert "Block.segments was loaded for 10 objects" in str(warning.message)
    assert 'session.query(Block).with_("segments")' in str(warning.message)
    assert warning.filename == __file__


def test_the_tenth_load_of_a_foreign_key_warns_too(session, labelled, told):
    for segment in session.query(Segment).all():
        assert segment.block.name == segment.name
    (text,) = texts(told)
    assert 'session.query(Segment).with_("block")' in text


def test_many_to_many_collections_count_as_well(session, labelled, told):
    for group in session.query(RecordingChannelGroup).all():
        len(group.recordingchannels)
    (text,) = texts(told)
    assert 'session.query(RecordingChannelGroup).with_("recordingchannels")' in text


def test_the_query_that_is_named_loads_it(lab, session, labelled, told):
    blocks = session.query(Block).with_("segments", "metadata").all()
    lab.forget()
    assert [(block.segments[0].name, block.metadata.name) for block in blocks] == [(str(n), str(n)) for n in range(12)]
    assert lab.calls == []
    assert told == []


def test_each_relation_is_told_once_for_each_session(lab, session, labelled, told):
    for _ in range(2):
        session.expire_all()
        for block in session.query(Block).all():
            block.segments[0].name  # noqa: B018
            block.metadata  # noqa: B018
    assert sorted(text.split(" ")[0] for text in texts(told)) == ["Block.metadata", "Block.segments"]
    with lab.session() as other:
        for block in other.query(Block).all():
            len(block.segments)
    assert len(told) == 3


def test_what_is_in_memory_is_not_counted(session, labelled, told):
    kept = session.query(Block).all()
    for segment in session.query(Segment).all():
        assert segment.block in kept
    for block in kept:
        for _ in range(3):
            block.metadata  # noqa: B018
            if block is kept[0]:
                len(block.segments)
    assert [text for text in texts(told) if "segments" in text or "block" in text.split(" ")[0]] == []


def test_different_relations_are_counted_apart(session, labelled, told):
    for block in session.query(Block).all()[:9]:
        len(block.segments)
        len(block.recordingchannelgroups)
        block.metadata  # noqa: B018
    assert told == []


def test_what_the_package_loads_itself_is_not_counted(lab, session, labelled, told, tmp_path):
    for block in session.query(Block).all():
        block.to_neo()
        session.refresh(block, "segments")
        session.refresh(block, "recordingchannelgroups")
    session.export(session.query(Block).first(), tmp_path / "block.nix")
    assert [text for text in texts(told) if "one by one" in text] == []


def test_a_warning_that_is_made_an_error_leaves_the_session_usable(session, labelled):
    blocks = session.query(Block).all()
    for block in blocks[:9]:
        len(block.segments)
    with pytest.raises(LazyLoadWarning):
        len(blocks[9].segments)
    assert [block.segments[0].name for block in blocks] == [str(number) for number in range(12)]
