"""Access lists: who sees what, effective at once."""

from __future__ import annotations

import pytest

from gnode_orm import Block, Document, Section, Segment
from gnode_orm.errors import AccessDenied, NotFound, ValidationFailed

STORES = ("memory", "postgres")


@pytest.fixture
def block(session):
    """A stored block of ann with a segment."""
    block = session.add(Block("b"))
    block.segments.append(Segment("s"))
    session.commit()
    return block


def test_nothing_is_seen_that_is_not_shared(lab, session, block):
    with lab.session("jeff") as jeff:
        assert jeff.get(block.location) is None
        assert jeff.query(Segment).all() == []
        with pytest.raises(NotFound):
            jeff.history(block.location)


@pytest.mark.parametrize("name", ["", "a\0", "\ud800", 5, None])
def test_what_is_no_name_of_a_user_is_refused(session, block, name):
    for act in (session.share, lambda block, name: session.permissions(block, {name: "read"})):
        with pytest.raises(ValidationFailed, match="is not the name of a user"):
            act(block, name)
    assert session.access(block) == {}


def test_sharing_and_taking_back_are_effective_at_once(lab, session, block):
    with lab.session("jeff") as jeff:
        session.share(block, "jeff")
        assert session.access(block) == {"jeff": "read"}
        theirs = jeff.get(block.location)
        assert [segment.name for segment in theirs.segments] == ["s"]
        session.unshare(block, "jeff")
        assert session.access(block) == {}
        assert jeff.query(Block).all() == []


def test_reading_is_not_writing(lab, session, block):
    session.share(block, "jeff", "read")
    with lab.session("jeff") as jeff:
        theirs = jeff.get(block.location)
        theirs.segments.append(Segment("new"))
        with pytest.raises(AccessDenied, match=r"cannot be|not be changed|read"):
            jeff.commit()
        jeff.rollback()
        session.share(block, "jeff", "write")
        theirs.segments.append(Segment("new"))
        jeff.commit()
        assert theirs.segments[-1].owner == "jeff"
    session.refresh(block, "segments")
    assert [segment.owner for segment in block.segments] == ["ann", "jeff"]


def test_permissions_replace_the_list(session, block):
    session.share(block, "old")
    assert session.permissions(block, {"jeff": "read", "mia": "write"}) == {"jeff": "read", "mia": "write"}
    assert session.permissions(block) == {"jeff": "read", "mia": "write"}


def test_only_the_owner_changes_the_list(lab, session, block):
    session.share(block, "jeff", "write")
    with lab.session("jeff") as jeff:
        theirs = jeff.get(block.location)
        with pytest.raises(AccessDenied):
            jeff.share(theirs, "mia")


def test_objects_without_a_root_are_seen_by_their_creator_alone(lab, session):
    segment = session.add(Segment("orphan"))
    session.commit()
    with lab.session("jeff") as jeff:
        assert jeff.get(segment.location) is None
    assert session.query(Segment).one() is segment


def test_safety_levels(lab, session):
    public, document = session.add(Block("public", safety_level=1)), session.add(Document("me"))
    session.commit()
    with lab.session("jeff") as jeff:
        assert [block.name for block in jeff.query(Block)] == ["public"]
        assert jeff.get(document.location) is None
        jeff.get(public.location).name = "not mine"
        with pytest.raises(AccessDenied):
            jeff.commit()
        jeff.rollback()


def test_documents_are_shared_with_their_sections(lab, session):
    section = Section("s", document=Document("me"))
    session.add(section)
    session.commit()
    session.share(section.document, "jeff")
    with lab.session("jeff") as jeff:
        assert jeff.get(section.location).document.author == "me"


def test_what_cannot_be_shared_is_said(session, block):
    with pytest.raises(ValidationFailed, match="share its block or document"):
        session.share(block.segments[0], "jeff")
    with pytest.raises(ValidationFailed, match="commit it before"):
        session.share(Block("new"), "jeff")
    with pytest.raises(ValidationFailed, match="'read' or 'write'"):
        session.share(block, "jeff", "admin")
    with pytest.raises(ValidationFailed, match="not shared with 'mia'"):
        session.unshare(block, "mia")
