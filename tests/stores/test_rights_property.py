"""Random users, levels, shares and trees: no call of a store reveals or changes what its user may not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from gnode_orm.core.changes import ArrayRef, ChangeSet, Delete, Update
from gnode_orm.core.select import AnyOf, Select
from gnode_orm.errors import AccessDenied, GnodeError, IntegrityError, NotFound
from gnode_orm.ids import encode_id
from gnode_orm.stores.local import open_local
from tests.stores.conftest import served_lab
from tests.stores.rows import by, change, columns, create, found, inline, row, where

USERS = ("ann", "ben", "eve")
PUBLIC, FRIENDLY, PRIVATE = 1, 2, 3
V1 = "/api/v1"
Rights = tuple[str, int, dict[str, str]]

trees = st.lists(
    st.tuples(
        st.sampled_from(USERS),
        st.sampled_from([PUBLIC, FRIENDLY, PRIVATE]),
        st.dictionaries(st.sampled_from(USERS), st.sampled_from(["read", "write"]), max_size=2),
    ),
    min_size=1,
    max_size=3,
)


@dataclass
class Tree:
    """A block, a segment and a signal with a secret in every text, and who may do what with them."""

    owner: str
    level: int
    shared: dict[str, str]
    secret: str
    block: int
    segment: int
    signal: int
    array: ArrayRef

    @property
    def objects(self) -> list[tuple[str, int]]:
        return [("block", self.block), ("segment", self.segment), ("analogsignal", self.signal)]

    def readable(self, user: str) -> bool:
        return self.level in (PUBLIC, FRIENDLY) or self.owner == user or user in self.shared

    def writable(self, user: str) -> bool:
        return self.owner == user or self.shared.get(user) == "write"


def plant(store: Any, number: int, rights: Rights) -> Tree:
    owner, level, given_access = rights
    shared = {user: access for user, access in given_access.items() if user != owner}
    secret = f"secret{number}x"
    block = create(store, "block", by=owner, name=f"{secret} block", safety_level=level)
    segment = create(store, "segment", by=owner, block=block, name=f"{secret} segment", annotations={"of": secret})
    array, small = inline(np.arange(5.0) + number, "mV")
    signal = create(
        store, "analogsignal", by=owner, arrays=small, segment=segment, name=f"{secret} signal", signal=array
    )
    store.set_access("block", block, shared, owner)
    change(store, "segment", segment, by=owner, description=f"{secret} changed")
    return Tree(owner, level, shared, secret, block, segment, signal, array)


@contextmanager
def in_memory() -> Iterator[Any]:
    opened = open_local(":memory:")
    yield opened
    opened.close()


@pytest.mark.parametrize("opened", [in_memory, served_lab])
@settings(max_examples=15)
@given(rights=trees)
def test_no_call_reveals_or_changes_what_its_user_may_not(opened: Callable[[], Any], rights: list[Rights]) -> None:
    with opened() as store:
        for user in USERS:
            create(store, "event", by=user)  # who wrote something has an account, to whom friendly blocks are open
        planted = [plant(store, number, one) for number, one in enumerate(rights)]
        for user in USERS:
            told = Told(store, user)
            for tree in planted:
                look(told, tree)
                reveal(told, tree)
                harm(told, tree)
                if hasattr(store, "served"):
                    ask(told, tree)
            for tree in planted:
                assert tree.readable(user) or tree.secret not in told.text


class Told:
    """Calls a store for one user, and keeps all that it answers or complains."""

    def __init__(self, store: Any, user: str) -> None:
        self.store = store
        self.user = user
        self.text = ""
        self.token = ""

    def __call__(self, name: str, *arguments: Any) -> Any:
        try:
            answer = getattr(self.store, name)(*arguments, self.user)
        except GnodeError as error:
            self.text += str(error)
            raise
        self.text += repr(answer)
        return answer

    def asks(self, method: str, address: str) -> int:
        """Send a request of one's own to the server; gives its status."""
        served = self.store.served
        self.token = self.token or served.token(self.user)
        body = None if method == "GET" else b'{"name": "mine"}'
        head = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        answer = requests.request(method, served.address + address, data=body, headers=head, timeout=30)
        self.text += answer.text
        return answer.status_code

    def refuses(self, kinds: Any, name: str, *arguments: Any) -> None:
        with pytest.raises(kinds):
            self(name, *arguments)


def look(told: Told, tree: Tree) -> None:
    """Objects, queries through every kind of relation, counts, and the past are those that the user may read."""
    here = tree.readable(told.user)
    for kind, id_ in tree.objects:
        assert len(told("get", kind, [id_])) == here
    for condition in (
        where("segment.block.id", "eq", tree.block),
        where("segment.annotations", "eq", f"{tree.secret}", "of"),
        where("segment.block.name", "regex", f"^{tree.secret[:-1]}x b"),
        where("name", "startswith", tree.secret),
    ):
        assert len(found(told.store, "analogsignal", condition, by=told.user)) == here
    with_signals = AnyOf((), "segments", AnyOf((), "analogsignals", where("id", "eq", tree.signal)))
    assert len(found(told.store, "block", with_signals, by=told.user)) == here
    eager = told("select", Select("block", eager=("segments", "segments.analogsignals"), order=(by("name"),)))
    seen = {record[0] for part in (eager, *eager.eager) for record in part.rows}
    assert {tree.block, tree.segment, tree.signal} & seen == (
        {tree.block, tree.segment, tree.signal} if here else set()
    )
    before = tree_versions(told.store, tree)[0]
    assert bool(told.store.get("segment", [tree.segment], told.user, before)) == here
    past = told("select", Select("segment", where("block.id", "eq", tree.block), at=before))
    assert len(past.rows) == here
    of_tree = Select("analogsignal", where("segment.block.id", "eq", tree.block))
    assert told("count", of_tree) == here
    assert told("count_by", of_tree, ("segment", "block")) == ({tree.block: 1} if here else {})
    assert told("count_by", of_tree, ("segment",)) == ({tree.segment: 1} if here else {})
    if here:
        assert told("preview_delete", "block", tree.block).children == {"segment": 1, "analogsignal": 1}
    own = told.user == tree.owner
    if own:
        assert told("access", "block", tree.block) == tree.shared
    else:
        told.refuses(AccessDenied if here else NotFound, "access", "block", tree.block)


def ask(told: Told, tree: Tree) -> None:
    """Addresses of API v1 and of arrays by field answer 404 or nothing to whom the tree does not exist."""
    here = tree.readable(told.user)
    for kind, id_ in tree.objects:
        address = f"{V1}/electrophysiology/{kind}/"
        assert told.asks("GET", f"{address}{encode_id(id_)}/") == (200 if here else 404)
        told.asks("GET", f"{address}?name__startswith={tree.secret}")
        if not tree.writable(told.user):
            for method in ("PUT", "PATCH", "DELETE"):
                assert told.asks(method, f"{address}{encode_id(id_)}/") == (403 if here else 404)
    told.asks("GET", f"{V1}/electrophysiology/analogsignal/?segment__block__name__startswith={tree.secret}")
    acl = f"{V1}/electrophysiology/block/{encode_id(tree.block)}/acl/"
    for method in ("GET", "PUT"):
        if told.user != tree.owner:
            assert told.asks(method, acl) == (403 if here else 404)
    field = f"{V1}/additions/arrays/analogsignal/{encode_id(tree.signal)}/signal"
    for part in ("", "?index=0:2", "?points=2"):
        assert told.asks("GET", field + part) == (200 if here else 404)


def tree_versions(store: Any, tree: Tree) -> list[int]:
    return [item.version for item in store.history("segment", tree.segment, tree.owner)]


def reveal(told: Told, tree: Tree) -> None:
    """History, access lists, previews and bare hashes of arrays tell nothing to whom the tree does not exist."""
    if tree.readable(told.user):
        return
    for kind, id_ in tree.objects:
        told.refuses(NotFound, "history", kind, id_)
        told.refuses(NotFound, "preview_delete", kind, id_)
    told.refuses(NotFound, "access", "block", tree.block)
    told.refuses(NotFound, "set_access", "block", tree.block, {told.user: "write"})
    taking = row("analogsignal", name="mine", signal=tree.array)
    if hasattr(told.store, "served"):
        # In a process of one's own every array may be named; a server checks who may.
        told.refuses((NotFound, IntegrityError), "apply", ChangeSet(creates={"analogsignal": [taking]}))
        with pytest.raises(NotFound):
            told.store.served.by(told.user).read_array(tree.array)


def harm(told: Told, tree: Tree) -> None:
    """Changes, deletions, children and moves are refused, and leave no trace."""
    if tree.writable(told.user):
        return
    refused = AccessDenied if tree.readable(told.user) else (NotFound, IntegrityError, AccessDenied)
    before = [told.store.history(kind, id_, tree.owner) for kind, id_ in tree.objects]
    for (kind, id_), history in zip(tree.objects, before, strict=True):
        version = history[-1].version
        told.refuses(refused, "apply", ChangeSet(updates=[Update(kind, id_, version, columns(kind, name="mine"))]))
        told.refuses(refused, "apply", ChangeSet(deletes=[Delete(kind, id_, version)]))
    told.refuses(refused, "apply", ChangeSet(creates={"segment": [row("segment", name="child", block=tree.block)]}))
    own = create(told.store, "segment", by=told.user, name="own")
    version = told.store.get("segment", [own], told.user)[0][1]
    moved = Update("segment", own, version, columns("segment", block=tree.block))
    told.refuses(refused, "apply", ChangeSet(updates=[moved]))
    assert [told.store.history(kind, id_, tree.owner) for kind, id_ in tree.objects] == before
