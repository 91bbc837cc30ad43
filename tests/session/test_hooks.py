"""Hooks: called before a write, after a commit and on loading; one that raises leaves everything as it was."""

from __future__ import annotations

import pytest

from gnode_orm import Block, Segment
from gnode_orm.errors import SessionError, ValidationFailed
from gnode_orm.session import Lab

STORES = ("memory",)


@pytest.mark.statement(87)
def test_what_a_hook_adds_and_changes_is_written_in_the_same_commit(lab, session):
    block = session.add(Block("b"))

    def complete(session):
        for item in session.new:
            item.annotations["checked"] = True
        if not block.segments:
            block.segments.append(Segment("made by the hook"))

    session.on("before_flush", complete)
    assert session.commit().counts == {"create Block": 1, "create Segment": 1}
    assert lab.calls == ["apply"]
    assert block.annotations == block.segments[0].annotations == {"checked": True}
    assert (session.new, session.dirty) == ([], [])


@pytest.mark.statement(87)
def test_hooks_that_never_come_to_an_end_are_stopped(lab, session):
    session.add(Block("b"))
    session.on("before_flush", lambda session: session.add(Block("more")))
    with pytest.raises(SessionError, match="100 times"):
        session.commit()
    assert len(session.new) == 1
    assert "apply" not in lab.calls


@pytest.mark.statement(88)
def test_a_hook_that_raises_leaves_everything_as_it_was(lab, session):
    block = session.add(Block("b"))
    session.commit()
    lab.forget()
    block.name = "pending"

    def broken(session):
        block.description = "half done"
        session.add(Block("half done"))
        raise ZeroDivisionError

    session.on("before_flush", broken)
    with pytest.raises(ZeroDivisionError):
        session.commit()
    assert (block.name, block.description) == ("pending", None)
    assert (session.new, session.dirty) == ([], [block])
    assert lab.calls == []


@pytest.mark.statement(28)
def test_a_hook_cannot_commit(session):
    session.add(Block("b"))
    session.on("before_flush", lambda session: session.commit())
    with pytest.raises(SessionError, match="part of the commit under way"):
        session.commit()
    assert len(session.new) == 1


def test_hooks_hear_of_commits_and_not_of_flushes(session):
    heard = []
    session.on("after_commit", lambda session, commit: heard.append(commit))
    session.add(Block("b"))
    session.flush()
    assert heard == []
    session.add(Block("c"))
    commit = session.commit()
    assert heard == [commit]


@pytest.mark.statement(88)
def test_a_hook_that_raises_after_a_commit_undoes_nothing(session):
    session.on("after_commit", lambda session, commit: 1 / 0)
    block = session.add(Block("b"))
    with pytest.raises(ZeroDivisionError):
        session.commit()
    assert block.location is not None
    assert session.new == []


def test_hooks_hear_of_loaded_objects_of_their_class(lab):
    with lab.session() as session:
        session.add(Segment("s", block=Block("b")))
        session.commit()
    with lab.session() as session:
        every, blocks = [], []
        session.on("on_load", every.append)
        session.on("on_load", blocks.append, Block)
        segment = session.query(Segment).one()
        session.query(Segment).one()
        assert segment.block.name == "b"
        assert every == [segment, segment.block]
        assert blocks == [segment.block]


def test_unknown_events_and_classes_are_refused(session):
    for arguments, field, value, text in (
        (("befor_flush", print), "event", "befor_flush", "did you mean 'before_flush'"),
        (("after_commit", print, dict), "model", dict, "no model such as Block"),
        (("after_commit", "print"), "hook", "print", "a function is needed"),
    ):
        with pytest.raises(ValidationFailed, match=text) as failure:
            session.on(*arguments)
        assert (failure.value.field, failure.value.value) == (field, value)


def test_hooks_of_a_class_get_each_object_that_is_about_to_be_written(lab, session):
    stored = session.add(Segment("stored"))
    session.add(Segment("untouched"))
    session.commit()
    session.on("before_flush", lambda segment: segment.annotations.update(checked=segment.name), Segment)
    stored.name = "changed"
    fresh = session.add(Segment("fresh", block=Block("b")))
    session.commit()
    assert (stored.annotations, fresh.annotations) == ({"checked": "changed"}, {"checked": "fresh"})
    with lab.session() as other:
        noted = {item.name: dict(item.annotations) for item in other.query(Segment)}
    assert noted == {"changed": {"checked": "changed"}, "fresh": {"checked": "fresh"}, "untouched": {}}


def test_hooks_of_a_class_get_what_another_hook_adds(session):
    def complete(session):
        if len(session.new) == 1:
            session.add(Segment("made by the hook"))

    session.on("before_flush", lambda segment: segment.annotations.update(checked=True), Segment)
    session.on("before_flush", complete)
    session.add(Block("b"))
    session.commit()
    assert session.query(Segment).one().annotations == {"checked": True}


def test_a_hook_that_puts_one_new_object_in_the_place_of_another_is_called_again(session):
    def replace(block):
        if block.name == "first":
            session.expunge(block)
            session.add(Block("second"))
        else:
            block.description = "seen"

    session.on("before_flush", replace, Block)
    session.add(Block("first"))
    session.commit()
    assert [(block.name, block.description) for block in session.query(Block)] == [("second", "seen")]


def test_hooks_of_a_class_get_each_object_that_was_written(session):
    heard = []
    session.on("after_commit", lambda obj, commit: heard.append((obj, commit)), Segment)
    segment = session.add(Segment("s", block=Block("b")))
    first = session.commit()
    segment.block.name = "only the block"
    session.commit()
    segment.name = "changed"
    last = session.commit()
    assert heard == [(segment, first), (segment, last)]


def test_hooks_of_a_lab_are_called_for_every_session_of_it_and_before_those_of_the_session(lab):
    shared, heard = Lab(lab.faults, "ann"), []
    early = shared.session()
    shared.on("after_commit", lambda session, commit: heard.append("lab"))
    shared.on("on_load", lambda block: heard.append(block.name), Block)
    late = shared.session()
    late.on("after_commit", lambda session, commit: heard.append("session"))
    for number, session in enumerate([early, late]):
        session.add(Block(str(number)))
        session.commit()
    assert heard == ["lab", "lab", "session"]
    early.expunge(early.query(Block).filter(name="1").one())
    assert heard[3:] == ["1"]
    early.close()
    late.close()


def test_hooks_of_a_lab_are_not_those_of_another_one(lab, session):
    heard = []
    Lab(lab.faults, "ann").on("after_commit", lambda session, commit: heard.append(commit))
    session.add(Block("b"))
    session.commit()
    assert heard == []


@pytest.fixture
def tree(lab):
    """Location of a stored block with the segments 0 and 1."""
    with lab.session() as session:
        block = session.add(Block("b"))
        block.segments = [Segment("0"), Segment("1")]
        session.commit()
        return block.location


def test_a_hook_on_loading_that_raises_leaves_everything_as_it_was(session, tree):
    def broken(obj):
        obj.name = "half done"
        if isinstance(obj, Segment):
            raise ZeroDivisionError

    pending = session.add(Block("pending"))
    session.on("on_load", broken)
    with pytest.raises(ZeroDivisionError):
        session.query(Block).with_("segments").all()
    assert (session.new, session.dirty) == ([pending], [])
    assert len(session._identity) == 0
    with pytest.raises(ZeroDivisionError):
        session.query(Segment).all()


def test_a_hook_on_loading_that_raises_leaves_collections_as_they_were(session, tree):
    block, broken = session.get(tree), [True]
    session.on("on_load", lambda segment: 1 / 0 if broken else None, Segment)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            session.query(Block).with_("segments").all()
        assert not block.segments.loaded
        with pytest.raises(ZeroDivisionError):
            len(block.segments)
    broken.clear()
    assert [segment.name for segment in block.segments] == ["0", "1"]
    assert all(segment in session for segment in block.segments)


def test_what_a_hook_on_loading_changes_is_pending(session, tree):
    session.on("on_load", lambda segment: segment.annotations.update(seen=True), Segment)
    found = session.query(Segment).all()
    assert session.dirty == found


def test_a_hook_after_a_commit_that_raises_leaves_no_change_of_its_own(lab, session):
    block = session.add(Block("b"))

    def broken(session, commit):
        block.name = "half done"
        session.add(Block("half done"))
        raise ZeroDivisionError

    session.on("after_commit", broken)
    with pytest.raises(ZeroDivisionError):
        session.commit()
    assert (block.name, block.location is None) == ("b", False)
    assert (session.new, session.dirty) == ([], [])


def test_a_hook_that_raises_before_a_flush_brings_back_what_it_deleted_and_moved(session, tree):
    block = session.get(tree)
    first, second = block.segments

    def broken(session):
        session.delete(first)
        second.block = None
        session.expunge(block)
        raise ZeroDivisionError

    block.name = "pending"
    session.on("before_flush", broken)
    with pytest.raises(ZeroDivisionError):
        session.commit()
    assert (session.new, session.dirty, session.deleted) == ([], [block], [])
    assert block.segments == [first, second]
    assert session.get(tree) is block
