"""Trees of random owners, levels and shares, random moves between them, and what each user is told of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import requests
from hypothesis import strategies as st

from gnode_orm.core.changes import ArrayRef, ChangeSet, Update
from gnode_orm.errors import AccessDenied, GnodeError, IntegrityError, NotFound
from gnode_orm.stores.local import open_local
from tests.stores.rows import change, columns, create, inline, version

USERS = ("ann", "ben", "eve")
PUBLIC, FRIENDLY, PRIVATE = 1, 2, 3
Rights = tuple[str, int, dict[str, str]]
Move = tuple[str, int, int | None]

trees = st.lists(
    st.tuples(
        st.sampled_from(USERS),
        st.sampled_from([PUBLIC, FRIENDLY, PRIVATE]),
        st.dictionaries(st.sampled_from(USERS), st.sampled_from(["read", "write"]), max_size=2),
    ),
    min_size=1,
    max_size=3,
)
moves = st.lists(st.tuples(st.sampled_from(USERS), st.integers(0, 2), st.integers(0, 2) | st.none()), max_size=3)
"""Who moves the segment of which tree below the block of which other, or out of all blocks."""


@dataclass(frozen=True)
class Place:
    """Where objects stand, below a block or below none, and who may do what with them there."""

    owner: str
    level: int
    shared: dict[str, str]
    block: int | None

    def readable(self, user: str) -> bool:
        return self.level in (PUBLIC, FRIENDLY) or self.owner == user or user in self.shared

    def writable(self, user: str) -> bool:
        return self.owner == user or self.shared.get(user) == "write"


@dataclass
class Tree:
    """A block, a segment and a signal, a document and its section, with a secret in every text.

    ``versions`` says where the segment stood since which version.
    """

    owner: str
    home: Place
    secret: str
    block: int
    segment: int
    signal: int
    section: int
    array: ArrayRef
    versions: list[tuple[int, Place]]

    @property
    def place(self) -> Place:
        """Where the segment stands now, and the signal with it in all its past."""
        return self.versions[-1][1]

    @property
    def objects(self) -> list[tuple[str, int, Place]]:
        """Every object, and the place whose rights are its own."""
        segment, signal = ("segment", self.segment, self.place), ("analogsignal", self.signal, self.place)
        return [("block", self.block, self.home), segment, signal, ("section", self.section, self.home)]

    def secrets_from(self, user: str) -> list[str]:
        """The texts that a user must never be told; those of a segment belong to each place where it stood."""
        known = {kind for kind, _, place in self.objects if place.readable(user)}
        known |= {"segment" for _, place in self.versions if place.readable(user)}
        return [f"{self.secret} {kind}" for kind, _, _ in self.objects if kind not in known]

    def state(self, store: Any) -> list[Any]:
        """All objects as they are, read by those who always may."""
        return [store.get(kind, [id_], place.owner) for kind, id_, place in self.objects]


@contextmanager
def in_memory() -> Iterator[Any]:
    opened = open_local(":memory:")
    yield opened
    opened.close()


@contextmanager
def every_user(store: Any) -> Iterator[dict[str, Told]]:
    """Everyone who calls a store, and asks its server."""
    told = {user: Told(store, user) for user in USERS}
    try:
        yield told
    finally:
        for one in told.values():
            one.close()


def wood(told: dict[str, Told], rights: list[Rights], moved: list[Move]) -> list[Tree]:
    """Plant trees, and let users try to move segments between them."""
    for user in USERS:
        create(told[user].store, "event", by=user)  # who wrote something has an account, so friendly blocks are his
    planted = [plant(told[one[0]].store, number, one) for number, one in enumerate(rights)]
    for user, which, where in moved:
        target = None if where is None else planted[where % len(planted)]
        move(told[user], planted[which % len(planted)], target)
    return planted


def plant(store: Any, number: int, rights: Rights) -> Tree:
    """Make a tree."""
    owner, level, given_access = rights
    shared = {user: access for user, access in given_access.items() if user != owner}
    secret = f"secret{number}x"
    document = create(store, "document", by=owner, safety_level=level)
    section = create(store, "section", by=owner, document=document, name=f"{secret} section")
    block = create(store, "block", by=owner, name=f"{secret} block", safety_level=level, metadata=section)
    text = f"{secret} segment"
    segment = create(store, "segment", by=owner, block=block, name=text, annotations={"of": text})
    array, small = inline(np.arange(5.0) + number, "mV")
    signal = create(
        store, "analogsignal", by=owner, arrays=small, segment=segment, name=f"{secret} analogsignal", signal=array
    )
    for kind, root in (("block", block), ("document", document)):
        store.set_access(kind, root, shared, owner)
    home = Place(owner, level, shared, block)
    first = version(store, "segment", segment, owner)
    change(store, "segment", segment, by=owner, description=f"{text} changed")
    second = version(store, "segment", segment, owner)
    return Tree(owner, home, secret, block, segment, signal, section, array, [(first, home), (second, home)])


class Told:
    """Calls a store for one user, and keeps all that it answers or complains."""

    def __init__(self, store: Any, user: str) -> None:
        self.store = store
        self.user = user
        self.text = ""
        self._connection = requests.Session()
        self._connection.trust_env = False  # or it looks for a proxy before every request

    def __call__(self, name: str, *arguments: Any) -> Any:
        return self._call(name, *arguments, self.user)

    def at(self, name: str, *arguments: Any, at: int) -> Any:
        return self._call(name, *arguments, self.user, at)

    def _call(self, name: str, *arguments: Any) -> Any:
        try:
            answer = getattr(self.store, name)(*arguments)
        except GnodeError as error:
            self.text += str(error)
            raise
        self.text += repr(answer)
        return answer

    def asks(self, method: str, address: str, **body: Any) -> int:
        """Send a request of one's own to the server; gives its status."""
        served, head = self.store.served, self._connection.headers
        if "Authorization" not in head:
            head["Authorization"] = f"Bearer {served.token(self.user)}"
        answer = self._connection.request(method, served.address + address, timeout=30, **body)
        self.text += answer.text
        return answer.status_code

    def close(self) -> None:
        self._connection.close()

    def nothing_secret(self, planted: list[Tree]) -> None:
        """Check that nothing that was told holds a text that must not be."""
        assert not [secret for tree in planted for secret in tree.secrets_from(self.user) if secret in self.text]

    def refuses(self, kinds: Any, name: str, *arguments: Any) -> None:
        with pytest.raises(kinds):
            self(name, *arguments)


def move(told: Told, tree: Tree, target: Tree | None) -> None:
    """Move a segment, which takes the right to write on both sides; without a block it is its creator's alone."""
    place = Place(tree.owner, PRIVATE, {}, None) if target is None else target.home
    base = version(told.store, "segment", tree.segment, tree.place.owner)
    changes = ChangeSet(updates=[Update("segment", tree.segment, base, columns("segment", block=place.block))])
    refusal = _refusal(told.user, tree.place, place)
    if refusal is not None:
        told.refuses(refusal, "apply", changes)
        return
    told("apply", changes)
    tree.versions.append((version(told.store, "segment", tree.segment, place.owner), place))


def _refusal(user: str, here: Place, there: Place) -> type[GnodeError] | None:
    if not here.readable(user):
        return NotFound
    if not here.writable(user):
        return AccessDenied
    if there.block is None or there.writable(user):
        return None
    return AccessDenied if there.readable(user) else IntegrityError
