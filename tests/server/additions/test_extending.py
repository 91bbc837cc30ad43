"""The message that appends rows: what it is answered, and what is refused with nothing stored."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gnode_orm.core.arrayhash import LEAF, array_hash
from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.changes import ArrayRef
from gnode_orm.server.additions.extending import MAX_ITEMS
from gnode_orm.stores.local.store import LocalStore
from gnode_orm.wire import frames
from tests.server.additions.test_hostile_messages import refused
from tests.server.asgi_client import Client
from tests.stores.rows import inline

ADDRESS = "/api/v1/additions/arrays/extend"
WHOLE = np.arange(100_000, dtype="<i4").reshape(-1, 2)
ROWS = np.arange(20, dtype="<i4").reshape(-1, 2)


def name(ref: ArrayRef) -> list[Any]:
    return [ref.hash.hex(), ref.dtype, list(ref.shape)]


def message(base: ArrayRef, rows: Any = ROWS, **members: Any) -> bytes:
    """The message that appends a few rows."""
    ref, small = inline(rows)
    return frames.pack({"items": [[name(base), name(ref), True]], **members}, small.values())


@pytest.fixture
def base(store: LocalStore) -> ArrayRef:
    """A stored array that ann has sent."""
    ref = store.put_arrays([(ArrayHandle.in_memory(WHOLE, None), None)])[0]
    store.uploads.remember_grown([(ref.hash, ref.hash)], "ann")
    return ref


def arrays(store: LocalStore) -> set[bytes]:
    with store._database.read() as transaction:
        return {bytes(hash_) for (hash_,) in transaction.query('SELECT hash FROM "array"')}


def test_the_answer_names_the_longer_array_however_often_it_is_asked(
    store: LocalStore, ann: Client, base: ArrayRef
) -> None:
    longer = np.concatenate([WHOLE, ROWS])
    for _ in range(2):
        answer = ann.post(ADDRESS, content=message(base))
        assert answer.json() == {"arrays": [[array_hash(longer).hex(), "<i4", [50_010, 2]]]}
        assert len(answer.content) < 200
    assert len(arrays(store)) == 2


def test_a_server_says_that_it_can_append(ann: Client) -> None:
    assert "appending" in ann.get("/api/v1/additions/").json()["capabilities"]


def test_no_arrays_are_extended_by_nothing(ann: Client) -> None:
    assert ann.post(ADDRESS, content=frames.pack({"items": []})).json() == {"arrays": []}


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize(
    ("part", "value", "status"),
    [
        (0, "00" * 32, 409),
        (0, "00" * 31, 400),
        (0, None, 400),
        (1, "<f4", 409),
        (1, "i4", 400),
        (1, "|O8", 400),
        (1, 7, 400),
        (2, [25_000, 4], 409),
        (2, [2**62, 2**62], 400),
        (2, [-1, 2], 400),
        (2, [1.5, 2], 400),
        (2, "1,2", 400),
        (2, [1] * 40, 400),
    ],
)
def test_what_names_no_array_is_refused(
    store: LocalStore, ann: Client, base: ArrayRef, place: int, part: int, value: Any, status: int
) -> None:
    named = [name(base), name(inline(ROWS)[0])]
    named[place][part] = value
    before = arrays(store)
    # Rows that stand behind the message may be too many or too few for their name as well.
    content = frames.pack({"items": [[*named, True]]}, [ROWS.tobytes()])
    refused(ann.post(ADDRESS, content=content), status, 400 if place else status)
    assert arrays(store) == before


@pytest.mark.parametrize(
    "rows",
    [
        np.zeros((5, 3), "<i4"),
        np.zeros((5, 2), "<i2"),
        np.zeros((5, 2), ">i4"),
        np.zeros(5, "<i4"),
        np.zeros((5, 2, 1), "<i4"),
        np.zeros((), "<i4"),
    ],
)
def test_rows_of_another_kind_are_refused(store: LocalStore, ann: Client, base: ArrayRef, rows: Any) -> None:
    before = arrays(store)
    assert "cannot be appended" in refused(ann.post(ADDRESS, content=message(base, rows)), 422)["detail"]
    assert arrays(store) == before


@pytest.mark.parametrize(
    "items",
    [None, 7, {}, [7], [[]], [[[], [], True]], [[["x"] * 3]], [[["x"] * 3] * 3], [[["x"] * 3, None, True]], ["abc"]],
)
def test_items_of_a_wrong_form_are_refused(ann: Client, items: Any) -> None:
    refused(ann.post(ADDRESS, content=frames.pack({"items": items})), 400)


def test_bytes_that_are_not_the_rows_are_refused(store: LocalStore, ann: Client, base: ArrayRef) -> None:
    before, told = arrays(store), {"items": [[name(base), name(inline(ROWS)[0]), True]]}
    for data, status in ((b"", 400), (bytes(80), 409), (ROWS.tobytes() + b"x", 400), (ROWS.tobytes()[:-1], 400)):
        refused(ann.post(ADDRESS, content=frames.pack(told, [data])), status)
    refused(ann.post(ADDRESS, content=message(base, seen={"x": 1})), 400)
    refused(ann.post(ADDRESS, content=message(base)[:-100]), 400)
    assert arrays(store) == before


def test_what_is_sent_whole_and_what_is_too_much_is_refused(ann: Client, base: ArrayRef) -> None:
    small = inline(np.zeros((5, 2), "<i4"))[0]
    assert "sent whole" in refused(ann.post(ADDRESS, content=message(small)), 400)["detail"]
    endless = ArrayRef(small.hash, "<i4", (2**40, 0), None)
    refused(ann.post(ADDRESS, content=message(endless, np.zeros((5, 0), "<i4"))), 400)
    items = [[name(base), name(base), False]] * (MAX_ITEMS + 1)
    assert "At most" in refused(ann.post(ADDRESS, content=frames.pack({"items": items})), 400)["detail"]


def test_rows_are_behind_the_message_or_in_the_lab(ann: Client, ben: Client, base: ArrayRef) -> None:
    twice = array_hash(np.concatenate([WHOLE, WHOLE])).hex()
    for behind, data in ((False, b""), (True, WHOLE.tobytes())):
        content = frames.pack({"items": [[name(base), name(base), behind]]}, [data])
        assert ann.post(ADDRESS, content=content).json() == {"arrays": [[twice, "<i4", [100_000, 2]]]}
        refused(ben.post(ADDRESS, content=content), 409)  # whose bytes he sends he knows, yet it is not sent yet
    for behind in (None, 1, "x"):
        refused(ann.post(ADDRESS, content=frames.pack({"items": [[name(base), name(base), behind]]})), 400)
    many = base._replace(shape=(LEAF // 8 + 1, 2))
    answer = ann.post(ADDRESS, content=frames.pack({"items": [[name(base), name(many), True]]}, [bytes(LEAF + 8)]))
    assert "sent ahead" in refused(answer, 400)["detail"]


def test_refusals_are_the_same_for_what_is_secret_and_what_is_not_there(
    ann: Client, ben: Client, base: ArrayRef
) -> None:
    other = base._replace(hash=bytes(32))
    answers = [refused(ben.post(ADDRESS, content=message(ref)), 409) for ref in (base, other)]
    for answer, ref in zip(answers, (base, other), strict=True):
        assert answer.pop("hash") == ref.hash.hex()
        assert answer.pop("request_id")
    text = [{key: str(value).replace(base.hash.hex(), "00" * 32) for key, value in item.items()} for item in answers]
    assert text[0] == text[1]


LEAVES = st.none() | st.booleans() | st.integers(-1, 2**40) | st.sampled_from(["<i4", "00" * 32, "x", 2, 50_000])


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(items=st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4)), data=st.binary(max_size=40))
def test_any_message_is_answered_or_refused(ann: Client, items: Any, data: bytes) -> None:
    answer = ann.post(ADDRESS, content=frames.pack({"items": items}, [data]))
    if answer.status_code != 200:
        refused(answer, 400, 409, 422)
