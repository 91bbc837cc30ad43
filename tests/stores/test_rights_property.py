"""Random users, levels, shares, trees and moves: no call of a store reveals or changes what its user may not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.changes import ChangeSet, Delete, Update
from gnode_orm.core.select import AnyOf, Select
from gnode_orm.errors import AccessDenied, IntegrityError, NotFound
from tests.stores.conftest import served_lab
from tests.stores.rights_over_http import ask_v1, exchange_files, name_arrays, read_fields, send_deltas
from tests.stores.rights_world import USERS, Move, Rights, Told, Tree, every_user, in_memory, moves, trees, wood
from tests.stores.rows import by, columns, create, found, row, where


@pytest.mark.parametrize("opened", [in_memory, served_lab])
@settings(max_examples=15)
@given(rights=trees, moved=moves)
def test_no_call_reveals_or_changes_what_its_user_may_not(
    opened: Callable[[], Any], rights: list[Rights], moved: list[Move]
) -> None:
    with opened() as store, every_user(store) as told:
        planted = wood(told, rights, moved)
        for user in USERS:
            for tree in planted:
                look(told[user], tree)
                remember(told[user], tree)
                reveal(told[user], tree)
                harm(told[user], tree)
            told[user].nothing_secret(planted)


@settings(max_examples=8)
@given(rights=trees, moved=moves)
def test_no_request_reveals_or_changes_what_its_user_may_not(rights: list[Rights], moved: list[Move]) -> None:
    with served_lab() as store, every_user(store) as told:
        planted = wood(told, rights, moved)
        for user in USERS:
            before = [tree.state(store) for tree in planted]
            for tree in planted:
                ask_v1(told[user], tree)
                exchange_files(told[user], tree)
                send_deltas(told[user], tree)
                name_arrays(told[user], tree)
                read_fields(told[user], tree)
            assert [tree.state(store) for tree in planted] == before
            told[user].nothing_secret(planted)


def look(told: Told, tree: Tree) -> None:
    """Objects, queries through every kind of relation, and counts are those that the user may read."""
    user, place = told.user, tree.place
    here = place.readable(user)
    for kind, id_, own in tree.objects:
        assert len(told("get", kind, [id_])) == own.readable(user)
        assert (id_ in found(told.store, kind, where("name", "startswith", tree.secret), by=user)) == own.readable(user)
    with_signals = AnyOf((), "analogsignals", where("id", "eq", tree.signal))
    assert len(found(told.store, "segment", with_signals, by=user)) == here
    for condition in (
        where("segment.id", "eq", tree.segment),
        where("segment.annotations", "eq", f"{tree.secret} segment", "of"),
        where("segment.name", "regex", f"^{tree.secret[:-1]}x s"),
    ):
        assert found(told.store, "analogsignal", condition, by=user) == ([tree.signal] if here else [])
        assert told("count", Select("analogsignal", condition)) == here
        counts = told("count_by", Select("analogsignal", condition), ("segment", "block"))
        assert counts == ({place.block: 1} if here and place.block else {})
    in_block = found(told.store, "analogsignal", where("segment.block.name", "eq", f"{tree.secret} block"), by=user)
    assert (tree.signal in in_block) == (here and place.block == tree.block)
    of_section = where("metadata.name", "eq", f"{tree.secret} section")
    assert len(found(told.store, "block", of_section, by=user)) == tree.home.readable(user)
    if here:
        assert told("preview_delete", "segment", tree.segment).children == {"analogsignal": 1}
    if user == tree.owner:
        assert told("access", "block", tree.block) == tree.home.shared
    else:
        refusal = AccessDenied if tree.home.readable(user) else NotFound
        told.refuses(refusal, "access", "block", tree.block)


def remember(told: Told, tree: Tree) -> None:
    """Versions are for who may read now where they stood, or stand, and no other trace of them is left."""
    user = told.user
    known = [version for version, place in tree.versions if place.readable(user)]
    if known:
        history = told("history", "segment", tree.segment)
        assert [item.version for item in history if item.row is not None] == known
    else:
        told.refuses(NotFound, "history", "segment", tree.segment)
    for version, place in tree.versions:
        then = {tree.segment} if version in known else set()
        assert {item[0] for item in told.at("get", "segment", [tree.segment], at=version)} == then
        below = where("id", "eq", tree.segment) if place.block is None else where("block.id", "eq", place.block)
        assert tree_segments(told, tree, Select("segment", below, at=version)) == then
        signals = told("select", Select("analogsignal", where("id", "eq", tree.signal), at=version)).rows
        # The signal was made between the first version and the second, and its rights are those of now.
        signal = {tree.signal} if tree.place.readable(user) and version > tree.versions[0][0] else set()
        assert {item[0] for item in signals} == signal
        eager = Select("block", eager=("segments", "segments.analogsignals"), order=(by("name"),), at=version)
        blocks = {tree.block} if tree.home.readable(user) else set()
        below_blocks = then | signal if then and place.block is not None else set()
        assert seen_below(told, tree, eager) == blocks | below_blocks


def tree_segments(told: Told, tree: Tree, query: Select) -> set[int]:
    return {item[0] for item in told("select", query).rows} & {tree.segment}


def seen_below(told: Told, tree: Tree, query: Select) -> set[int]:
    blocks = told("select", query)
    seen = {record[0] for part in (blocks, *blocks.eager) for record in part.rows}
    return seen & {tree.block, tree.segment, tree.signal}


def reveal(told: Told, tree: Tree) -> None:
    """History, access lists, previews and bare hashes of arrays tell nothing to whom an object does not exist."""
    for kind, id_, place in tree.objects:
        if not place.readable(told.user):
            told.refuses(NotFound, "preview_delete", kind, id_)
            if kind != "segment":
                told.refuses(NotFound, "history", kind, id_)
    if not tree.home.readable(told.user):
        told.refuses(NotFound, "set_access", "block", tree.block, {told.user: "write"})
    if hasattr(told.store, "served") and not tree.place.readable(told.user):
        # In a process of one's own every array may be named; a server checks who may.
        taking = ChangeSet(creates={"analogsignal": [row("analogsignal", name="mine", signal=tree.array)]})
        told.refuses((NotFound, IntegrityError), "apply", taking)
        own = told.store.served.by(told.user)
        with pytest.raises(NotFound):
            own.read_array(tree.array)
        rows = ArrayHandle.in_memory(np.zeros(8_192), None).with_unit("mV")
        with pytest.raises(IntegrityError):
            own.put_arrays([(ArrayHandle.stored(own, tree.array).extended(rows), "mV")])


def harm(told: Told, tree: Tree) -> None:
    """Changes, deletions, children and moves are refused, and leave no trace."""
    before = tree.state(told.store)
    for (kind, id_, place), rows in zip(tree.objects, before, strict=True):
        if not place.writable(told.user):
            refused = AccessDenied if place.readable(told.user) else NotFound
            version = rows[0][1]
            told.refuses(refused, "apply", ChangeSet(updates=[Update(kind, id_, version, columns(kind, name="mine"))]))
            told.refuses(refused, "apply", ChangeSet(deletes=[Delete(kind, id_, version)]))
    if not tree.home.writable(told.user):
        unfit = AccessDenied if tree.home.readable(told.user) else IntegrityError
        told.refuses(unfit, "apply", ChangeSet(creates={"segment": [row("segment", name="child", block=tree.block)]}))
        own = create(told.store, "segment", by=told.user, name="own")
        version = told.store.get("segment", [own], told.user)[0][1]
        moved = Update("segment", own, version, columns("segment", block=tree.block))
        told.refuses(unfit, "apply", ChangeSet(updates=[moved]))
    assert tree.state(told.store) == before
