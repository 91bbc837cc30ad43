"""Channels in channel groups, committed together with the block above them."""

from __future__ import annotations

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
