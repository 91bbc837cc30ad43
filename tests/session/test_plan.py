"""Plans that people can read: creations, changes, moves, links and deletions in the order of writing."""

from __future__ import annotations

import contextlib
import io

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


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def printed(monkeypatch):
    """What a plan looks like on a terminal with colours."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")

    def printed(plan):
        with contextlib.redirect_stdout(Terminal()) as terminal:
            print(plan)  # noqa: T201
        return terminal.getvalue()

    return printed


def test_a_plan_is_printed_in_colour_on_a_terminal(pending, printed):
    lines = printed(pending.plan()).splitlines()
    assert [line[:5] for line in lines] == [
        "\x1b[32m", "\x1b[33m", "\x1b[36m", "\x1b[32m", "\x1b[31m", "\x1b[31m", "(crea",
    ]  # fmt: skip
    assert all(line.endswith("\x1b[0m") for line in lines[:-1])


def test_a_plan_is_printed_plain_where_no_colours_are_wanted(pending, printed, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in printed(pending.plan())


def test_a_plan_is_printed_plain_into_a_file(pending, capsys):
    print(pending.plan())  # noqa: T201
    assert "\x1b" not in capsys.readouterr().out


def test_long_lines_are_not_broken_on_a_narrow_terminal(session, printed, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    session.add(Block("a name that is far longer than the terminal is wide"))
    assert len(printed(session.plan()).splitlines()) == 2


def test_a_plan_is_a_table_in_a_notebook(pending):
    html = pending.plan()._repr_html_()
    assert html.count("<tr") == 7
    assert "<td>&#x27;b&#x27;</td><td>&#x27;renamed&#x27;</td>" in html
    assert "with 1 Segment" in html
    assert "(create Block 1, change Block 1" in html
    assert html.count("color: red") == 2
    pending.rollback()
    assert pending.plan()._repr_html_() == "<table><caption>Nothing to write</caption></table>"


def test_a_plan_as_a_table(pending):
    pytest.importorskip("pandas")
    table = pending.plan().to_dataframe()
    assert table["op"].tolist() == ["create", "set", "move", "link", "unlink", "delete"]
    assert table["object"].tolist()[:3] == ["Block", "Block", "Segment"]


def test_text_of_users_is_escaped_in_a_notebook(session):
    session.add(Block("<script>"))
    assert "<script>" not in session.plan()._repr_html_()
