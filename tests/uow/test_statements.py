"""No statement about sessions is passed over in silence: each has a test, or a row that says why not."""

from __future__ import annotations

import pytest

from tests import not_kept as tables
from tests.not_kept import STORE_OF, not_kept, reason_not_kept
from tests.uow.conftest import STORES
from tests.uow.statements import listed, needed, shown_by

TRIED = {STORE_OF[lab] for lab in STORES}


def test_the_statements_are_numbered_from_1_to_90():
    assert [number for number, _ in listed()] == list(range(1, 91))
    assert len({text for _, text in listed()}) == 90


def test_each_statement_has_a_test_or_a_row_that_says_why_not():
    stores_without = {}
    for row in not_kept():
        stores_without.setdefault(row.what, set()).add(row.store)
    without = {number for number, stores in stores_without.items() if "all" in stores or stores >= TRIED}
    assert set(range(1, 91)) - set(shown_by()) - without == set()


def test_no_test_names_a_statement_that_there_is_not():
    assert set(shown_by()) <= set(range(1, 91))


def test_each_row_names_a_statement_and_stores_and_gives_a_reason():
    for row in not_kept():
        assert isinstance(row.what, str) or (1 <= row.what <= 90 and row.because)
        assert row.store in {"all", *STORE_OF.values()}
        assert row.instead
    pairs = [(row.what, row.store) for row in not_kept()]
    assert len(pairs) == len(set(pairs))


def test_what_v1_servers_have_not_is_what_tests_need_and_nothing_else():
    assert needed() == {row.what for row in not_kept() if isinstance(row.what, str)}


def test_what_is_decided_otherwise_for_all_stores_is_named_for_no_single_one():
    everywhere = {row.what for row in not_kept() if row.store == "all"}
    assert everywhere.isdisjoint(row.what for row in not_kept() if row.store != "all")


def test_a_row_for_one_store_gives_the_reason_there_alone(monkeypatch):
    row = tables.NotKept(54, "rest", "all are written", "the server knows no differences")
    monkeypatch.setattr(tables, "not_kept", lambda: (row,))
    assert reason_not_kept({53, 54}, "rest") == (
        "statement 54 is not kept here: all are written, because the server knows no differences"
    )
    assert reason_not_kept({54}, "sqlite") is None
    assert reason_not_kept({53, "Order"}, "rest") is None


def test_a_row_for_all_stores_keeps_no_test_from_running():
    (row,) = [row for row in not_kept() if row.what == 37]
    assert row.store == "all"
    assert reason_not_kept({37}, "sqlite") is None


@pytest.mark.parametrize("number", [37, 38])
def test_rings_are_refused_by_a_test(number):
    assert shown_by()[number]
