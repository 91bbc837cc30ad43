"""What was imported from some content is found by an index, whatever else stands in ``ext``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gnode_orm.core.select import Attr, Comparison, Select
from gnode_orm.stores.local import open_local
from gnode_orm.stores.local.store import LocalStore
from tests.stores.rows import create, found

CONTENT = "ab" * 32
OF_CONTENT = Comparison(Attr(("ext",), ("import", "sha256")), "eq", CONTENT)


@pytest.fixture(params=["folder", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LocalStore]:
    if request.param == "folder":
        made = open_local(tmp_path / "lab")
    else:
        made = open_local(request.getfixturevalue("emptied_postgres"), arrays=tmp_path / "arrays")
    yield made
    made.close()


@pytest.mark.parametrize("kind", ["block", "document"])
def test_one_is_found_among_many(store, kind):
    wanted = [create(store, kind, ext={"v": 1, "import": {"sha256": CONTENT, "number": 0}}) for _ in range(2)]
    create(store, kind, ext={"v": 1, "import": {"sha256": "cd" * 32, "number": 0}})
    create(store, kind)
    assert sorted(found(store, kind, OF_CONTENT)) == sorted(wanted)


@pytest.mark.parametrize(
    "ext", [{"import": "text"}, {"import": {"sha256": 7}}, {"import": {"sha256": None}}, {"note": "a\0b"}, {}]
)
def test_whatever_else_stands_there_is_kept_and_not_found(store, ext):
    made = create(store, "block", ext=ext)
    assert found(store, "block") == [made]
    assert found(store, "block", OF_CONTENT) == []


def test_the_search_goes_by_the_index(store):
    for number in range(20):
        create(store, "block", ext={"import": {"sha256": f"{number:064d}"}})
    (text,) = store.explain(Select("block", where=OF_CONTENT), "ann")
    names = {"actor": "ann", "v0": CONTENT}
    with store._database.read() as transaction:
        if transaction.database.compiler.dialect.name == "postgresql":
            transaction.connection.execute("SET enable_seqscan = off")
            plan = transaction.rows(f"EXPLAIN {text}", names)
            transaction.connection.execute("RESET enable_seqscan")
        else:
            plan = transaction.rows(f"EXPLAIN QUERY PLAN {text}", names)
    assert "block_content" in str(plan)
