"""No statement about sessions is passed over in silence: each has a test, or a row that says why not."""

from __future__ import annotations

import pytest

from tests.uow import statements
from tests.uow.conftest import STORES
from tests.uow.statements import STORE_OF, listed, not_kept, reason_not_kept, shown_by

# A store that knows only API v1 is tried as soon as there is one.
TRIED = {STORE_OF[lab] for lab in STORES}


def test_the_statements_are_numbered_from_1_to_90():
    assert [number for number, _ in listed()] == list(range(1, 91))
    assert len({text for _, text in listed()}) == 90


def test_each_statement_has_a_test_or_a_row_that_says_why_not():
    stores_without = {}
    for row in not_kept():
        stores_without.setdefault(row.number, set()).add(row.store)
    without = {number for number, stores in stores_without.items() if "all" in stores or stores >= TRIED}
    assert set(range(1, 91)) - set(shown_by()) - without == set()


def test_no_test_names_a_statement_that_there_is_not():
    assert set(shown_by()) <= set(range(1, 91))


def test_each_row_names_a_statement_and_stores_and_gives_a_reason():
    for row in not_kept():
        assert 1 <= row.number <= 90
        assert row.store in {"all", *statements.STORES}
        assert row.instead
        assert row.because
    pairs = [(row.number, row.store) for row in not_kept()]
    assert len(pairs) == len(set(pairs))


def test_what_is_decided_otherwise_for_all_stores_is_named_for_no_single_one():
    everywhere = {row.number for row in not_kept() if row.store == "all"}
    assert everywhere.isdisjoint(row.number for row in not_kept() if row.store != "all")


def test_a_row_for_one_store_gives_the_reason_there_alone(monkeypatch):
    row = statements.NotKept(54, "rest", "all are written", "the server knows no differences")
    monkeypatch.setattr(statements, "not_kept", lambda: (row,))
    assert reason_not_kept((53, 54), "rest") == (
        "statement 54 is not kept here: all are written, because the server knows no differences"
    )
    assert reason_not_kept((54,), "memory") is None
    assert reason_not_kept((53,), "rest") is None


def test_a_row_for_all_stores_keeps_no_test_from_running():
    (row,) = [row for row in not_kept() if row.number == 37]
    assert row.store == "all"
    assert reason_not_kept((37,), "memory") is None


@pytest.mark.parametrize("number", [37, 38])
def test_rings_are_refused_by_a_test(number):
    assert shown_by()[number]
