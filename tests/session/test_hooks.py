"""Hooks: called before a write, after a commit and on loading; one that raises leaves everything as it was."""

from __future__ import annotations

import pytest

from gnode_orm import Block, Segment
from gnode_orm.errors import SessionError, ValidationFailed

STORES = ("memory",)


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


def test_hooks_that_never_come_to_an_end_are_stopped(lab, session):
    session.add(Block("b"))
    session.on("before_flush", lambda session: session.add(Block("more")))
    with pytest.raises(SessionError, match="100 times"):
        session.commit()
    assert len(session.new) == 1
    assert "apply" not in lab.calls


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


def test_unknown_events_are_refused(session):
    with pytest.raises(ValidationFailed, match="did you mean 'before_flush'"):
        session.on("befor_flush", print)
    with pytest.raises(ValidationFailed, match="not one class"):
        session.on("after_commit", print, Block)
