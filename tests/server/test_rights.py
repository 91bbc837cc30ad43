"""Random users, shares and objects: no request reveals or changes what its user may not read or write."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from typing import Any

import h5py
import httpx
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gnode_orm.server.app import create_app
from gnode_orm.stores.local import open_local
from tests.server.asgi_client import Client
from tests.server.conftest import PASSWORD

EPHYS = "/api/v1/electrophysiology/"
USERS = ("ann", "ben", "eve")
PUBLIC, FRIENDLY, PRIVATE = 1, 2, 3

levels = st.sampled_from([PUBLIC, FRIENDLY, PRIVATE])
access = st.dictionaries(st.sampled_from(USERS), st.sampled_from([1, 2]), max_size=2)
blocks = st.lists(st.tuples(st.sampled_from(USERS), levels, access), min_size=1, max_size=3)


@dataclass
class Tree:
    """A block with a segment and a signal below it, and what the rules say of it."""

    owner: str
    level: int
    shared: dict[str, int]
    secret: str
    places: dict[str, str] = field(default_factory=dict)

    def readable(self, user: str) -> bool:
        return user == self.owner or user in self.shared or self.level in (PUBLIC, FRIENDLY)

    def writable(self, user: str) -> bool:
        return user == self.owner or self.shared.get(user) == 2

    def id(self, kind: str) -> str:
        return self.places[kind].split("/")[5]


class World:
    """The server, one client for each user, and everything that each of them was told."""

    def __init__(self) -> None:
        self.store = open_local(":memory:")
        app = create_app(self.store)
        self.clients = {user: Client(app) for user in USERS}
        self.told = dict.fromkeys(USERS, "")
        for user, client in self.clients.items():
            self.store.accounts.add(user, PASSWORD)
            client.login(user, PASSWORD)

    def close(self) -> None:
        for client in self.clients.values():
            client.close()
        self.store.close()

    def ask(self, user: str, method: str, path: str, **options: Any) -> httpx.Response:
        answer = self.clients[user].request(method, path, **options)
        self.told[user] += answer.text
        return answer

    def plant(self, number: int, owner: str, level: int, shared: dict[str, int]) -> Tree:
        tree = Tree(owner, level, {user: right for user, right in shared.items() if user != owner}, f"secret{number}x")
        parent: dict[str, str] = {}
        for kind, extra in (("block", {"safety_level": level}), ("segment", {}), ("analogsignal", {"t_start": 1})):
            body = {"name": f"{tree.secret} {kind}", **parent, **extra}
            made = self.clients[owner].post(f"{EPHYS}{kind}/", json=body).json()
            tree.places[kind] = made["location"]
            parent = {kind: made["id"]}
        self.clients[owner].post(tree.places["analogsignal"] + "signal/", files={"raw_file": _file(np.arange(5.0))})
        entries = [{"user": f"/api/v1/user/user/{user}/", "access_level": right} for user, right in tree.shared.items()]
        assert self.clients[owner].put(tree.places["block"] + "acl/", json=entries).status_code == 200
        return tree


@settings(max_examples=12)
@given(blocks)
def test_no_request_reveals_or_changes_what_its_user_may_not(given_blocks: list[Any]) -> None:
    world = World()
    try:
        trees = [world.plant(number, *one) for number, one in enumerate(given_blocks)]
        for user in USERS:
            _look(world, user, trees)
            _change(world, user, trees)
            for tree in trees:
                # A parent that was asked for by a secret word may be repeated as it was sent, and no more.
                assert tree.readable(user) or f"{tree.secret} " not in world.told[user]
    finally:
        world.close()


def _look(world: World, user: str, trees: list[Tree]) -> None:
    seen = [tree for tree in trees if tree.readable(user)]
    for kind in ("block", "segment", "analogsignal"):
        listed = world.ask(user, "GET", f"{EPHYS}{kind}/").json()
        assert {item["location"] for item in listed["selected"]} == {tree.places[kind] for tree in seen}
        assert listed["meta"]["total_count"] == len(seen)
    for tree in trees:
        expected = 200 if tree.readable(user) else 404
        for place in (*tree.places.values(), tree.places["analogsignal"] + "signal/"):
            assert world.ask(user, "GET", place).status_code == expected
        set_ = world.ask(user, "GET", f"{EPHYS}segment/set/{tree.id('segment')}/")
        assert set_.status_code == expected
        acl = world.ask(user, "GET", tree.places["block"] + "acl/").status_code
        assert acl == (200 if user == tree.owner else 403 if tree.readable(user) else 404)
        for query in (
            f"segment__block__name={tree.secret}%20block",
            f"segment__block={tree.id('block')}",
            f"segment__name__icontains={tree.secret}%20",
            f"name__regex=^{tree.secret}%20",
            f"segment__block__owner={tree.owner}&name__startswith={tree.secret}%20",
        ):
            found = world.ask(user, "GET", f"{EPHYS}analogsignal/?{query}").json()["meta"]["total_count"]
            assert found == (1 if tree.readable(user) else 0)


def _change(world: World, user: str, trees: list[Tree]) -> None:
    for tree in trees:
        if tree.writable(user):
            continue
        refused = 403 if tree.readable(user) else 404
        before = {place: world.clients[tree.owner].get(place).json() for place in tree.places.values()}
        for place in tree.places.values():
            for method in ("PUT", "PATCH"):
                assert world.ask(user, method, place, json={"name": "mine"}).status_code == refused
            assert world.ask(user, "DELETE", place).status_code == refused
        signal = tree.places["analogsignal"] + "signal/"
        assert world.ask(user, "POST", signal, files={"raw_file": _file(np.zeros(3))}).status_code == refused
        assert world.ask(user, "PUT", tree.places["block"] + "acl/", json=[]).status_code == refused
        as_parent = 403 if tree.readable(user) else 400
        body = {"name": "child", "block": tree.id("block")}
        assert world.ask(user, "POST", f"{EPHYS}segment/", json=body).status_code == as_parent
        assert world.ask(user, "PUT", f"{EPHYS}segment/", json={"selected": [body]}).status_code == as_parent
        for name, sent in (
            ("block-" + tree.id("block"), {"name": "mine"}),
            ("segment-TEMP1", body),
            ("segment-" + tree.id("segment"), {"name": "mine"}),
        ):
            answer = world.ask(user, "POST", "/api/v1/in_bulk/", files={"raw_file": _delta(name, sent)})
            assert answer.status_code in (refused, as_parent)
        assert {place: world.clients[tree.owner].get(place).json() for place in tree.places.values()} == before


def test_the_owner_reads_what_others_add_and_they_keep_it_readable() -> None:
    world = World()
    try:
        tree = world.plant(0, "ann", PRIVATE, {"ben": 2})
        made = world.ask("ben", "POST", f"{EPHYS}segment/", json={"name": "by ben", "block": tree.id("block")}).json()
        assert world.ask("ann", "GET", made["location"]).json()["owner"].endswith("/ben/")
        assert len(world.ask("ann", "GET", tree.places["block"]).json()["segment_set"]) == 2
        assert world.ask("eve", "GET", made["location"]).status_code == 404
    finally:
        world.close()


def test_an_object_without_a_parent_is_seen_by_its_creator_alone() -> None:
    world = World()
    try:
        made = world.ask("ann", "POST", f"{EPHYS}segment/", json={"name": "alone"}).json()
        assert world.ask("ann", "GET", made["location"]).status_code == 200
        assert world.ask("ben", "GET", made["location"]).status_code == 404
    finally:
        world.close()


def _file(values: Any) -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as root:
        root["arraydata"] = values
    return buffer.getvalue()


def _delta(name: str, body: Any) -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as root:
        group = root.create_group(f"-api-v1-electrophysiology-{name}-")
        group.create_dataset("json", data=json.dumps(body), dtype=h5py.string_dtype("ascii"))
    return buffer.getvalue()
