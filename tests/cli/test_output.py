from __future__ import annotations

import re

import pytest

from gnode_orm.cli.output import Column, write_table

COLUMNS = [Column("block", whole=True), Column("name"), Column("count", right=True), Column("segment", whole=True)]
ROWS = [["block/2DFA548ESC", "a rather long name of a recording", "1,200", "segment/K6LO7NH133"]]


@pytest.fixture
def terminal(monkeypatch):
    """Make the consoles believe that they write to a terminal of some width."""

    def terminal(width):
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", str(width))

    return terminal


@pytest.fixture
def printed(capsys):
    """Give what was printed to each stream, without the colours."""

    def printed():
        return (re.sub(r"\x1b\[[\d;]*m", "", text) for text in capsys.readouterr())

    return printed


def test_a_wide_terminal_gets_everything(terminal, printed):
    terminal(100)
    write_table(COLUMNS, ROWS)
    out, err = printed()
    assert "a rather long name of a recording" in out
    assert "segment/K6LO7NH133" in out
    assert err == ""


def test_a_narrow_terminal_folds_text_and_keeps_locations_whole(terminal, printed):
    terminal(60)
    write_table(COLUMNS, ROWS)
    out, err = printed()
    assert "block/2DFA548ESC" in out
    assert "segment/K6LO7NH133" in out
    assert max(len(line) for line in out.splitlines()) <= 60
    assert len(out.splitlines()) > 2
    assert err == ""


def test_a_very_narrow_terminal_is_told_what_it_does_not_get(terminal, printed):
    terminal(40)
    write_table(COLUMNS, ROWS)
    out, err = printed()
    assert "block/2DFA548ESC" in out
    assert "segment/" not in out
    assert "No room for segment" in err


def test_a_pipe_gets_aligned_text_without_empty_columns(capsys):
    write_table([*COLUMNS[:2], Column("nothing"), COLUMNS[2]], [["block/1", "µ", "", "9"], ["block/22", "b", "", "10"]])
    assert capsys.readouterr().out == "block     name  count\nblock/1   µ         9\nblock/22  b        10\n"
