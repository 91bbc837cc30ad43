from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gnode_orm.core.state import Status
from gnode_orm.errors import DetachedError, ValidationFailed
from gnode_orm.models import Block, Document, RecordingChannel, RecordingChannelGroup, Section, Segment


class Session:
    """A tracker that holds stored members and counts what entities ask of it."""

    def __init__(self) -> None:
        self.members: dict[tuple[int, str], list[Any]] = {}
        self.loads: list[str] = []
        self.joined: list[Any] = []
        self.changed: list[Any] = []

    def before_change(self, entity: Any) -> None:
        self.changed.append(entity)

    def join(self, entity: Any) -> None:
        self.joined.append(entity)
        entity._enter(self, None, Status.PENDING)

    def load_collection(self, entity: Any, relation: str) -> list[Any]:
        self.loads.append(relation)
        return list(self.members.get((id(entity), relation), []))

    def load_reference(self, entity: Any, name: str, kind: str, id: int) -> Any:
        raise AssertionError("nothing to load")

    def find_loaded(self, kind: str, id: int) -> Any:
        return None

    def forget(self, state: Any) -> None:
        pass

    def store(self, entity: Any) -> Any:
        entity._enter(self, None, Status.PERSISTENT, id=2**45 + len(self.changed), version=1)
        return entity


def stored_block(*names: str) -> tuple[Session, Block, list[Segment]]:
    """A stored block with stored segments, its collection not loaded."""
    session = Session()
    block = session.store(Block("b"))
    segments = [session.store(Segment(name)) for name in names]
    for segment in segments:
        vars(segment)["block"] = block
    session.members[id(block), "segments"] = segments
    return session, block, segments


def test_appending_sets_the_foreign_key_and_setting_the_key_appends() -> None:
    block, a, b = Block("x"), Segment("a"), Segment("b")
    block.segments.append(a)
    b.block = block
    c = Segment("c", block=block)
    assert a.block is b.block is c.block is block
    assert block.segments == [a, b, c]
    assert len(block.segments) == 3
    assert list(block.segments) == [a, b, c]
    assert block.segments[1] is b
    assert block.segments[1:] == [b, c]
    assert c in block.segments
    assert "c" not in block.segments


def test_appending_twice_hangs_in_once() -> None:
    block, segment = Block("x"), Segment("a")
    block.segments.extend([segment, segment])
    segment.block = block
    assert block.segments == [segment]


def test_a_member_moves_from_one_parent_to_the_other() -> None:
    one, two, segment = Block("1"), Block("2"), Segment("a")
    one.segments.append(segment)
    two.segments.append(segment)
    assert one.segments == []
    assert two.segments == [segment]
    segment.block = None
    assert two.segments == []


@pytest.mark.parametrize(
    "act",
    [
        lambda block, a: block.segments.remove(a),
        lambda block, a: block.segments.pop(0),
        lambda block, a: block.segments.__delitem__(0),
        lambda block, a: block.segments.__delitem__(slice(0, 1)),
        lambda block, a: setattr(block, "segments", block.segments[1:]),
        lambda block, a: block.segments.__setitem__(slice(0, 1), []),
    ],
)
def test_taking_out_clears_the_foreign_key(act: Any) -> None:
    block, a, b = Block("x"), Segment("a"), Segment("b")
    block.segments = [a, b]
    act(block, a)
    assert a.block is None
    assert b.block is block
    assert block.segments == [b]


def test_clearing_takes_everything_out() -> None:
    block = Block("x")
    members = [Segment(str(number), block=block) for number in range(3)]
    block.segments.clear()
    assert [member.block for member in members] == [None, None, None]
    assert block.segments == []


def test_assigning_a_list_adds_and_removes_what_differs() -> None:
    block, a, b, c = Block("x"), Segment("a"), Segment("b"), Segment("c")
    block.segments = [a, b]
    block.segments = [b, c]
    assert block.segments == [b, c]
    assert a.block is None
    block.segments += [a]
    assert block.segments == [b, c, a]


def test_members_keep_insertion_order() -> None:
    block, a, b = Block("x"), Segment("a"), Segment("b")
    block.segments = [a]
    with pytest.raises(ValidationFailed, match="keeps insertion order"):
        block.segments.insert(0, b)
    with pytest.raises(ValidationFailed, match="keeps insertion order"):
        block.segments.reverse()
    assert block.segments == [a]
    assert b.block is None


@pytest.mark.parametrize("wrong", [Block("x"), "segment", None, 3, Segment])
def test_a_member_of_another_kind_is_refused_and_nothing_changes(wrong: Any) -> None:
    block, a = Block("x"), Segment("a")
    block.segments = [a]
    with pytest.raises(ValidationFailed, match=r"Block\.segments holds objects of kind segment"):
        block.segments.append(wrong)
    with pytest.raises(ValidationFailed, match=r"Block\.segments holds objects of kind segment"):
        block.segments = [wrong]
    assert block.segments == [a]


def test_removing_what_is_not_there_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="is not in"):
        Block("x").segments.remove(Segment("a"))
    with pytest.raises(ValueError, match="is not in"):
        RecordingChannelGroup("g").recordingchannels.remove(RecordingChannel("c"))


def test_a_section_hangs_below_a_document_or_a_section() -> None:
    document, top, below = Document("me"), Section("top"), Section("below")
    document.sections.append(top)
    top.sections.append(below)
    assert (top.document, top.section) == (document, None)
    assert (below.document, below.section) == (None, top)


def test_many_to_many_keeps_both_sides() -> None:
    one, two, channel = RecordingChannelGroup("1"), RecordingChannelGroup("2"), RecordingChannel("c")
    one.recordingchannels.append(channel)
    channel.recordingchannelgroups.append(two)
    channel.recordingchannelgroups.append(two)
    assert channel.recordingchannelgroups == [one, two]
    assert one.recordingchannels == two.recordingchannels == [channel]
    one.recordingchannels.remove(channel)
    assert channel.recordingchannelgroups == [two]
    channel.recordingchannelgroups = [one]
    assert two.recordingchannels == []
    assert one.recordingchannels == [channel]


def test_collections_show_a_few_members() -> None:
    block = Block("x")
    block.segments = [Segment(str(number)) for number in range(5)]
    assert repr(block.segments).startswith("<Block.segments: 5 [Segment(name='0'")
    assert repr(block.segments).endswith(", ...]>")
    assert "\n" not in repr(block.segments)


def test_appending_to_a_stored_parent_does_not_load() -> None:
    session, block, members = stored_block("a", "b")
    new = Segment("c")
    block.segments.append(new)
    assert session.loads == []
    assert repr(block.segments) == "<Block.segments: not loaded>"
    assert session.joined == [new]
    assert block.segments == [*members, new]
    assert session.loads == ["segments"]
    assert block.segments.pending() == ([new], [])


def test_a_member_that_left_before_loading_is_not_among_those_loaded() -> None:
    _, block, (a, b) = stored_block("a", "b")
    a.block = None
    assert block.segments == [b]
    assert block.segments.pending() == ([], [a])


def test_undoing_gives_the_stored_members_in_their_order() -> None:
    _, block, (a, b) = stored_block("a", "b")
    new = Segment("c", block=block)
    block.segments.remove(a)
    block.segments.append(a)
    block.segments.remove(new)
    assert block.segments == [b, a]
    block.segments.restore()
    assert block.segments == [a, b]
    assert block.segments.pending() == ([], [])


def test_undoing_brings_back_a_member_that_left_before_loading() -> None:
    _, block, (a, b) = stored_block("a", "b")
    a.block = None
    assert block.segments == [b]
    block.segments.restore()
    assert block.segments == [a, b]


def test_after_a_write_what_was_hung_in_is_stored() -> None:
    _, block, members = stored_block("a", "b")
    new = Segment("c", block=block)
    block.segments.remove(members[0])
    block.segments.settle()
    block.segments.restore()
    assert block.segments == [members[1], new]


def test_a_copy_that_leaves_and_returns_is_a_member() -> None:
    _, block, (a, _) = stored_block("a", "b")
    twin = a.model_copy()
    twin.block = None
    twin.block = block
    assert twin in block.segments
    assert a in block.segments


def test_a_collection_that_was_not_loaded_needs_a_session() -> None:
    _, block, _ = stored_block("a")
    assert block._state is not None
    block._state.tracker = None
    with pytest.raises(DetachedError, match=r"segments was not loaded .* with_\('segments'\)"):
        len(block.segments)


def test_objects_of_two_sessions_are_not_joined_and_nothing_changes() -> None:
    one, two = Session(), Session()
    block, segment = one.store(Block("b")), two.store(Segment("s"))
    group, channel = one.store(RecordingChannelGroup("g")), two.store(RecordingChannel("c"))
    with pytest.raises(ValidationFailed, match="different sessions"):
        block.segments.append(segment)
    with pytest.raises(ValidationFailed, match="different sessions"):
        group.recordingchannels.append(channel)
    assert block.segments.pending() == group.recordingchannels.pending() == ([], [])
    assert channel.recordingchannelgroups.pending() == ([], [])
    assert segment.ref("block") is None
    assert one.changed == two.changed == []


def test_an_object_made_below_two_sessions_hangs_in_nowhere() -> None:
    one, two = Session(), Session()
    block, section = one.store(Block("b")), two.store(Section("s"))
    with pytest.raises(ValidationFailed, match="different sessions"):
        Segment("x", block=block, metadata=section)
    assert block.segments.pending() == section.segments.pending() == ([], [])
    assert one.joined == two.joined == []


class Family(RuleBasedStateMachine):
    """Blocks and segments against a plain dictionary of lists."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = [Block(str(number)) for number in range(3)]
        self.segments = [Segment(str(number)) for number in range(5)]
        self.plain: dict[int, list[int]] = {0: [], 1: [], 2: []}

    def leave(self, segment: int) -> None:
        for members in self.plain.values():
            if segment in members:
                members.remove(segment)

    @rule(block=st.integers(0, 2), segment=st.integers(0, 4))
    def append(self, block: int, segment: int) -> None:
        self.blocks[block].segments.append(self.segments[segment])
        if segment not in self.plain[block]:
            self.leave(segment)
            self.plain[block].append(segment)

    @rule(block=st.none() | st.integers(0, 2), segment=st.integers(0, 4))
    def set_key(self, block: int | None, segment: int) -> None:
        self.segments[segment].block = None if block is None else self.blocks[block]
        if block is None or segment not in self.plain[block]:
            self.leave(segment)
            if block is not None:
                self.plain[block].append(segment)

    @rule(block=st.integers(0, 2), segment=st.integers(0, 4))
    def remove(self, block: int, segment: int) -> None:
        if segment in self.plain[block]:
            self.blocks[block].segments.remove(self.segments[segment])
            self.plain[block].remove(segment)

    @rule(block=st.integers(0, 2), wanted=st.lists(st.integers(0, 4), unique=True))
    def assign(self, block: int, wanted: list[int]) -> None:
        self.blocks[block].segments = [self.segments[number] for number in wanted]
        kept = [number for number in self.plain[block] if number in wanted]
        for number in wanted:
            if number not in kept:
                self.leave(number)
                kept.append(number)
        self.plain[block] = kept

    @invariant()
    def both_sides_agree(self) -> None:
        for number, block in enumerate(self.blocks):
            assert block.segments == [self.segments[member] for member in self.plain[number]]
        for number, segment in enumerate(self.segments):
            homes = [block for block, members in self.plain.items() if number in members]
            assert segment.block is (self.blocks[homes[0]] if homes else None)


TestFamily = Family.TestCase
