"""Channels in channel groups, committed together with the block above them."""

from __future__ import annotations

from typing import Any

import pytest

from gnode_orm import Block, RecordingChannel, RecordingChannelGroup, Session, connect


def test_a_block_with_groups_and_channels_is_one_commit() -> None:
    """A block's own collection of groups has the name of the channels' collection, and is no membership."""
    with Session(":memory:") as session:
        group = RecordingChannelGroup("tetrode", block=session.add(Block("cell")))
        group.recordingchannels.append(RecordingChannel("tip", index=3))
        assert [item.op for item in session.plan().items].count("link") == 1
        session.commit()
        location = str(group.location)
        session.expunge(group)
        again = session.get(location)
        assert [channel.index for channel in again.recordingchannels] == [3]


def test_merging_a_detached_group_brings_its_memberships_along() -> None:
    with connect(":memory:") as lab:
        with lab.session() as session:
            group = RecordingChannelGroup("tetrode", block=session.add(Block("cell")))
            left, stays = RecordingChannel("left"), RecordingChannel("stays")
            group.recordingchannels = [left, stays]
            session.commit()
        group.recordingchannels.remove(left)
        group.recordingchannels.append(RecordingChannel("joins"))
        with lab.session() as session:
            merged = session.merge(group)
            assert merged in session.dirty
            session.commit()
        with lab.session() as session:
            names = [channel.name for channel in session.get(group.location).recordingchannels]
    assert names == ["stays", "joins"]


def test_an_expunged_channel_is_met_in_its_groups_as_another_instance() -> None:
    with Session(":memory:") as session:
        group = session.add(RecordingChannelGroup("tetrode"))
        group.recordingchannels = [RecordingChannel("left"), RecordingChannel("right")]
        session.commit()
        gone = group.recordingchannels[0]
        group.recordingchannels.append(RecordingChannel("new"))
        session.expunge(gone)
        assert [channel.name for channel in group.recordingchannels] == ["left", "right", "new"]
        assert group.recordingchannels[0] is session.get(gone.location) is not gone
        session.commit()


@pytest.mark.parametrize("leave", [Session.delete, Session.expunge], ids=["delete", "expunge"])
@pytest.mark.parametrize("which", [0, 1], ids=["group", "channel"])
@pytest.mark.parametrize("stored", [False, True])
def test_a_new_member_that_leaves_its_session_takes_its_memberships_along(leave: Any, which: int, stored: bool) -> None:
    with Session(":memory:") as session:
        pair = (RecordingChannelGroup("tetrode"), RecordingChannel("tip"))
        leaving, staying = pair[which], pair[1 - which]
        session.add(staying)
        if stored:
            session.commit()
        session.add(leaving)
        pair[0].recordingchannels.append(pair[1])
        leave(session, leaving)
        assert session.commit().counts == ({} if stored else {f"create {type(staying).__name__}": 1})
        assert not any(_members(staying))
        session.add(leaving)
        session.commit()
        assert (_members(staying), _members(leaving)) == ([leaving], [staying])


def test_a_rolled_back_group_that_is_added_again_is_seen_from_its_channels() -> None:
    with Session(":memory:") as session:
        channel = session.add(RecordingChannel("tip"))
        session.commit()
        group = session.add(RecordingChannelGroup("tetrode"))
        group.recordingchannels.append(channel)
        session.rollback()
        assert list(channel.recordingchannelgroups) == []
        session.add(group)
        assert list(channel.recordingchannelgroups) == [group]
        session.rollback()
        assert list(channel.recordingchannelgroups) == []


def _members(item: Any) -> list[Any]:
    return list(item.recordingchannels if isinstance(item, RecordingChannelGroup) else item.recordingchannelgroups)
