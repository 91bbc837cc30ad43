"""The level of a lab is that of every block and document of a session that was not given one."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gnode_orm import Block, Document, Session
from gnode_orm.stores.local import open_local
from tests.stores.conftest import served_lab
from tests.uow.recording import OpenLab
from tests.v1peer.users import v1_lab

PUBLIC, FRIENDLY, PRIVATE = 1, 2, 3


@pytest.fixture(params=["folder", "postgres", "rest", "v1"])
def friendly(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """A lab of each kind whose level is friendly, and the level that its sessions give."""
    if request.param in ("rest", "v1"):
        with served_lab() if request.param == "rest" else v1_lab() as behind:
            behind.served.store.accounts.set_default_level(FRIENDLY)
            yield behind, FRIENDLY if request.param == "rest" else PRIVATE
        return
    target = tmp_path / "lab" if request.param == "folder" else request.getfixturevalue("emptied_postgres")
    arrays = None if request.param == "folder" else tmp_path / "arrays"
    with opened(target, arrays) as store:
        store.accounts.set_default_level(FRIENDLY)
    with opened(target, arrays) as store:
        yield store, FRIENDLY
        store.accounts.set_default_level(PRIVATE)


@contextmanager
def opened(target: Any, arrays: Any) -> Iterator[Any]:
    store = open_local(target, arrays=arrays)
    yield store
    store.close()


def test_new_blocks_and_documents_get_the_level_of_the_lab(friendly: Any) -> None:
    store, level = friendly
    block, document = Block("b"), Document("d")
    assert block.safety_level == document.safety_level == PRIVATE
    with OpenLab(store).session() as session:
        session.add_all([block, document])
        assert (block.safety_level, document.safety_level) == (level, level)
        session.commit()
    with OpenLab(store).session() as session:
        stored = [session.get(str(root.location)) for root in (block, document)]
        assert [root.safety_level for root in stored] == [level, level]
        assert session.query(Block).where(Block.safety_level == level).count() == 1


def test_a_level_that_was_given_stays(friendly: Any) -> None:
    store, _ = friendly
    given, later, stored = Block("given", safety_level=PRIVATE), Block("later"), Block("stored", safety_level=PUBLIC)
    later.safety_level = PRIVATE
    with OpenLab(store).session() as session:
        session.add_all([given, later, stored])
        after = session.add(Block("after"))
        after.safety_level = PRIVATE
        session.commit()
        assert [block.safety_level for block in (given, later, after)] == [PRIVATE] * 3
        again = [copy.copy(given), pickle.loads(pickle.dumps(given)), Block.model_validate(given.model_dump())]
        session.add_all(again)
        assert [block.safety_level for block in again] == [PRIVATE] * 3
        read = session.get(str(stored.location))
        twin = session.add(copy.copy(read))
        assert twin.safety_level == PUBLIC
        session.rollback()


def test_an_object_taken_out_of_a_session_gets_the_level_of_the_next(tmp_path: Path) -> None:
    with opened(tmp_path / "friendly", None) as store:
        store.accounts.set_default_level(FRIENDLY)
    block = Block("b")
    with Session(tmp_path / "friendly") as session:
        session.add(block)
        session.rollback()
    with Session(tmp_path / "private") as session:
        session.add(block)
        assert block.safety_level == PRIVATE
        session.rollback()
