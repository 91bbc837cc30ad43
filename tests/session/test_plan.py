"""Plans that people can read: creations, changes, moves, links and deletions in the order of writing."""

from __future__ import annotations

import pytest

from gnode_orm import Block, RecordingChannel, RecordingChannelGroup, Segment

STORES = ("memory",)


@pytest.fixture
def pending(session):
    """A session with something of each kind pending."""
    block, other, gone = Block("b"), Block("other"), Block("gone")
    segment = Segment("s", block=block)
    Segment("below", block=gone)
    group, channel, second = RecordingChannelGroup("g"), RecordingChannel("1"), RecordingChannel("2")
    group.recordingchannels = [channel]
    session.add_all([block, other, gone, group, second])
    session.commit()
    session.add(Block("new"))
    block.name = "renamed"
    segment.block = other
    group.recordingchannels = [second]
    session.delete(gone, cascade=True)
    return session


def test_a_plan_lists_what_would_be_written_in_order(pending):
    plan = pending.plan()
    assert [(item.op, item.field) for item in plan] == [
        ("create", None),
        ("set", "name"),
        ("move", "block"),
        ("link", "recordingchannelgroups"),
        ("unlink", "recordingchannelgroups"),
        ("delete", None),
    ]
    assert (len(plan), plan[0].obj.name) == (6, "new")
    assert (plan[1].old, plan[1].new) == ("b", "renamed")


def test_a_plan_prints_one_line_for_each_change(pending):
    lines = str(pending.plan()).splitlines()
    assert len(lines) == 7
    assert lines[0].startswith("+ create Block(name='new'")
    assert lines[1].endswith(".name: 'b' -> 'renamed'")
    assert lines[2].startswith("> move")
    assert lines[5].endswith("with 1 Segment")
    assert lines[6].startswith("(create Block 1, change Block 1, change Segment 1")


def test_making_a_plan_writes_nothing_and_says_so_when_there_is_nothing(lab, pending):
    lab.forget()
    pending.plan()
    assert lab.calls == []
    pending.rollback()
    assert str(pending.plan()) == "Nothing to write"
    assert pending.plan().__rich__().plain == "Nothing to write"
    assert list(pending.plan()) == []


def test_a_plan_is_coloured_on_a_terminal_and_a_table_in_a_notebook(pending):
    from rich.console import Console

    console = Console(force_terminal=True, width=200, color_system="standard")
    with console.capture() as capture:
        console.print(pending.plan())
    assert "\x1b[32m" in capture.get()
    assert "\x1b[31m" in capture.get()
    html = pending.plan()._repr_html_()
    assert html.count("<tr>") == 7
    assert "renamed" in html


def test_a_plan_as_a_table(pending):
    pytest.importorskip("pandas")
    table = pending.plan().to_dataframe()
    assert table["op"].tolist() == ["create", "set", "move", "link", "unlink", "delete"]
    assert table["object"].tolist()[:3] == ["Block", "Block", "Segment"]


def test_text_of_users_is_escaped_in_a_notebook(session):
    session.add(Block("<script>"))
    assert "<script>" not in session.plan()._repr_html_()
