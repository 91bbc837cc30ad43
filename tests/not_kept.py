"""What single stores do not keep, as two tables of the documentation have it: one of statements, one of v1 servers.

A test says which statements it shows (``statement``) and what it needs of a store beyond them (``needs``); over a store
that does not keep one of these it is expected to fail, and is a fault itself where it does not.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import pytest

from tests.docs.pages import ROOT, table_under

STATEMENTS = ROOT / "docs/explanation/how-it-works.md", "Statements that are not kept"
V1_SERVERS = ROOT / "docs/howto/original-servers.md", "What does not hold there"

STORE_OF = {
    "folder": "sqlite", "memory": "sqlite", "postgres": "postgresql", "s3": "postgresql", "rest": "rest", "v1": "v1",
}  # fmt: skip
"""The store that each kind of lab of the tests stands for."""


class NotKept(NamedTuple):
    """One row, for one store.

    Attributes:
        what: the number of a statement, or what a v1 server has not.
    """

    what: int | str
    store: str
    instead: str
    because: str = ""


@cache
def not_kept() -> tuple[NotKept, ...]:
    """Give the rows of both tables, one for each store that a row names."""
    statements = [
        NotKept(int(number), store.strip(), instead, because)
        for number, stores, instead, because in table_under(*STATEMENTS)
        for store in stores.split(",")
    ]
    return (*statements, *(NotKept(what, "v1", instead) for what, instead in table_under(*V1_SERVERS)))


def reason_not_kept(wanted: set[int | str], store: str) -> str | None:
    """Say why a store does not keep one of some things; ``None`` where it keeps them all.

    What is decided otherwise for all stores is no reason: its tests show what happens instead.
    """
    for row in not_kept():
        if row.what in wanted and row.store == store:
            name = f"statement {row.what}" if isinstance(row.what, int) else row.what
            return f"{name} is not kept here: {row.instead}" + (f", because {row.because}" if row.because else "")
    return None


def expect_failures(items: list[pytest.Item]) -> None:
    """Let the tests that run over a store fail, and fail alone, where it does not keep what they show or need."""
    for item in items:
        given = getattr(getattr(item, "callspec", None), "params", {}).values()
        store = next((STORE_OF[value] for value in given if isinstance(value, str) and value in STORE_OF), None)
        if store == "v1":
            item.add_marker(pytest.mark.filterwarnings("ignore::gnode_orm.errors.LostUnitsWarning"))
        needs = list(item.iter_markers("needs"))
        marks = [*needs, *item.iter_markers("statement")]
        reason = store and reason_not_kept({what for mark in marks for what in mark.args}, store)
        if reason:
            run = all(mark.kwargs.get("run", True) for mark in needs)
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True, run=run))
