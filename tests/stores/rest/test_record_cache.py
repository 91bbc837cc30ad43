"""Records that came from a server are kept on disk: named by it each time, checked, bounded, for readers alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gnode_orm.core.changes import ChangeSet, Update
from gnode_orm.core.select import Select
from gnode_orm.stores.local.store import LocalStore
from gnode_orm.stores.rest.record_cache import FILE, LEAST, RecordCache, count_records
from gnode_orm.stores.rest.store import RestStore
from tests.stores.rest.serving import Served
from tests.stores.rows import create, new_id, row

COUNT = LEAST + 50

pytestmark = pytest.mark.usefixtures("shared")


@pytest.fixture
def shared(folder: Path, server: Served) -> int:
    """Segments in a block of ann that ben may read."""
    ann = server.by("ann")
    server.token("ben")
    block = create(ann, "block")
    rows = [row("segment", name=f"number {number}", block=block) for number in range(COUNT)]
    ann.apply(ChangeSet(creates={"segment": rows}), "ann")
    ann.set_access("block", block, {"ben": "read"}, "ann")
    return block


class Calls:
    """What one store asked its server since it was opened, and what came back."""

    def __init__(self, store: RestStore, before: Callable[[str], None] = lambda name: None) -> None:
        self.made: list[tuple[str, Any, Any]] = []
        call = store._connection.call

        def noted(path: str, message: Any) -> Any:
            name = path.rpartition("/")[2]
            before(name)
            answer = call(path, message)
            self.made.append((name, message, {**answer, "rows": list(answer["rows"])}))
            return answer

        store._connection.call = noted  # type: ignore[method-assign]

    @property
    def names(self) -> list[str]:
        return [name for name, _, _ in self.made]


def read(store: RestStore, user: str = "ben", **query: Any) -> list[tuple[Any, ...]]:
    return store.select(Select("segment", **query), user).rows


def rename(store: Any, found: tuple[Any, ...], name: str) -> None:
    store.apply(ChangeSet(updates=[Update("segment", found[0], found[1], {"name": name})]), "ann")


def warm(server: Served) -> list[tuple[Any, ...]]:
    """Read everything once as ben."""
    store = server.open("ben")
    rows = read(store)
    store.close()
    assert len(rows) == COUNT
    return rows


def test_records_come_once_and_are_named_then(server: Served, local: LocalStore) -> None:
    first = warm(server)
    store = server.open("ben")
    calls = Calls(store)
    assert read(store) == first == local.select(Select("segment"), "ben").rows
    ((name, _, answer),) = calls.made
    assert name == "select"
    assert {len(named) for named in answer["rows"]} == {2}


def test_eager_records_are_named_as_well(server: Served, shared: int) -> None:
    warm(server)
    store = server.open("ben")
    query = Select("block", eager=("segments",))
    first = store.select(query, "ben")
    for number in range(LEAST):
        create(server.by("ann"), "block", name=f"other {number}", safety_level=1)
    store.select(query, "ben")
    calls = Calls(store)
    again = store.select(query, "ben")
    assert calls.names == ["select"]
    assert again.eager[0].rows == first.eager[0].rows
    assert len(again.rows) == LEAST + 1


def test_what_is_new_or_changed_comes_by_itself(server: Served, shared: int) -> None:
    first = warm(server)
    rename(server.by("ann"), first[3], "changed")
    added = create(server.by("ann"), "segment", name="added", block=shared)
    store = server.open("ben")
    calls = Calls(store)
    again = {found[0]: found for found in read(store)}
    assert calls.names == ["select", "records"]
    assert set(calls.made[1][1]["ids"]) == {first[3][0], added}
    assert [found for found in first if again[found[0]] != found] == [first[3]]
    read(store)
    assert calls.names == ["select", "records", "select"]


def test_a_change_between_the_two_requests_is_shown_whole(server: Served, local: LocalStore) -> None:
    first = warm(server)
    rename(local, first[0], "before")

    def change(name: str) -> None:
        if name == "records":
            rename(local, local.get("segment", [first[0][0]], "ann")[0], "between")

    store = server.open("ben")
    calls = Calls(store, change)
    assert read(store) == local.select(Select("segment"), "ben").rows
    assert calls.names == ["select", "records", "select"]
    assert "names" not in calls.made[2][1]


def test_nothing_is_shown_to_who_may_no_longer_read_it(server: Served, shared: int) -> None:
    warm(server)
    server.by("ann").set_access("block", shared, {}, "ann")
    assert read(server.open("ben")) == []


def test_the_past_is_read_from_what_is_kept_of_it(server: Served) -> None:
    first = warm(server)
    then = max(found[1] for found in first)
    rename(server.by("ann"), first[0], "later")
    store = server.open("ben")
    assert read(store, at=then) == first
    assert read(store)[0] != first[0]
    assert read(store, at=then) == first


def test_each_user_of_each_server_has_a_file_of_his_own(folder: Path, server: Served) -> None:
    warm(server)
    ann = server.open("ann")
    calls = Calls(ann)
    read(ann, "ann")
    assert "names" not in calls.made[0][1]
    paths = list(folder.rglob(FILE))
    assert len(paths) == 2
    assert {path.stat().st_mode & 0o777 for path in paths} == {0o600}
    assert {path.parent.stat().st_mode & 0o777 for path in paths} | {folder.stat().st_mode & 0o777} == {0o700}


def test_few_records_are_neither_kept_nor_named(folder: Path, server: Served) -> None:
    store = server.open("ben")
    calls = Calls(store)
    for _ in range(2):
        read(store, limit=LEAST - 1)
    store.select(Select("block"), "ben")
    assert [message.get("names") for _, message, _ in calls.made] == [None] * 3
    assert count_records(folder) == 0


def test_few_records_come_at_once_where_others_are_kept(server: Served, shared: int) -> None:
    warm(server)
    create(server.by("ann"), "segment", name="added", block=shared)
    store = server.open("ben")
    calls = Calls(store)
    assert len(read(store, offset=COUNT - 1)) == 2
    assert calls.names == ["select"]


@pytest.mark.parametrize("damage", ["every byte", "a record"])
def test_what_is_damaged_comes_again(folder: Path, server: Served, damage: str) -> None:
    first = warm(server)
    (path,) = folder.rglob(FILE)
    content = path.read_bytes()
    path.write_bytes(b"?" * len(content) if damage == "every byte" else content.replace(b"number 17", b"number 71"))
    assert read(server.open("ben")) == first


def test_without_a_place_to_keep_them_records_are_read_all_the_same(folder: Path, server: Served) -> None:
    folder.parent.mkdir(exist_ok=True)
    folder.write_bytes(b"")
    store = server.open("ben")
    assert read(store) == read(store)


def test_without_a_cache_nothing_is_kept(folder: Path, server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GNODE_ORM_CACHE_MB", "0")
    warm(server)
    assert not folder.exists()


def test_the_file_is_bounded(tmp_path: Path) -> None:
    cache = RecordCache(tmp_path, "ann", 4_000_000)
    for _ in range(6):
        cache.put("segment", [[new_id(), 1, "x" * 5000] for _ in range(100)])
    cache.put("segment", [[5, 1, "last"]])
    assert cache.get("segment", [[5, 1], [6, 1]]) == {5: [5, 1, "last"]}
    (path,) = tmp_path.rglob(FILE)
    assert path.stat().st_size < 2_000_000
    cache.close()
    assert cache.get("segment", [[5, 1]]) == {}
