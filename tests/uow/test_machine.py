"""Random work on two sessions over one lab, beside plain dictionaries that say what must come of it."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gnode_orm import Block, Segment
from gnode_orm.errors import IntegrityError, StoreUnavailable
from gnode_orm.session import Lab
from gnode_orm.stores.local import open_local
from gnode_orm.testing import FaultyStore

NAMES = st.sampled_from(["a", "b", "c"])
PLACES = st.integers(0, 7)


class Machine(RuleBasedStateMachine):
    """Blocks and segments by number; ``now`` is what the session must show, ``written`` what the lab must hold."""

    def __init__(self) -> None:
        super().__init__()
        self.store = FaultyStore(open_local(":memory:"))
        self.lab = Lab(self.store, "ann")
        self.session = self.lab.session()
        self.objects: dict[int, object] = {}
        self.now: dict[int, dict] = {}
        self.written: dict[int, dict] = {}
        self.locations: dict[int, str] = {}
        self.count = 0

    def teardown(self) -> None:
        self.session.close()
        self.store.close()

    # ---- picking

    def _of(self, model, place):
        found = [key for key, state in self.now.items() if state["model"] is model]
        return found[place % len(found)] if found else None

    def _object(self, key):
        if key not in self.objects:
            self.objects[key] = self.session.get(self.locations[key])
        return self.objects[key]

    def _new(self, entity, **state):
        self.count += 1
        self.objects[self.count] = entity
        self.now[self.count] = {"model": type(entity), "name": entity.name, "notes": {}, "block": None, **state}
        return self.count

    # ---- work

    @initialize()
    def start(self):
        self.add_block("a")
        self.commit()

    @rule(name=NAMES)
    def add_block(self, name):
        block = self.session.add(Block(name))
        self._new(block)

    @rule(name=NAMES, place=PLACES, way=st.sampled_from(["append", "key", "loose"]))
    def add_segment(self, name, place, way):
        segment, key = Segment(name), self._of(Block, place)
        if way == "loose" or key is None:
            self.session.add(segment)
            self._new(segment)
            return
        if way == "append":
            self._object(key).segments.append(segment)
        else:
            segment.block = self._object(key)
        self._new(segment, block=key)

    @rule(model=st.sampled_from([Block, Segment]), place=PLACES, name=NAMES)
    def rename(self, model, place, name):
        key = self._of(model, place)
        if key is not None:
            self._object(key).name = name
            self.now[key]["name"] = name

    @rule(model=st.sampled_from([Block, Segment]), place=PLACES, name=NAMES, value=st.integers(0, 2))
    def annotate(self, model, place, name, value):
        key = self._of(model, place)
        if key is None:
            return
        notes = self._object(key).annotations
        if value == 0:
            notes.pop(name, None)
            self.now[key]["notes"] = {k: v for k, v in self.now[key]["notes"].items() if k != name}
        else:
            notes.setdefault(name, {"list": []})["list"].append(value)
            before = self.now[key]["notes"].get(name, {"list": []})["list"]
            self.now[key]["notes"] = {**self.now[key]["notes"], name: {"list": [*before, value]}}

    @rule(place=PLACES, other=PLACES, way=st.sampled_from(["append", "key", "location", "none", "remove"]))
    def move(self, place, other, way):
        key, target = self._of(Segment, place), self._of(Block, other)
        if key is None or target is None:
            return
        segment, block = self._object(key), self._object(target)
        if way == "remove":
            if segment not in block.segments:
                return
            block.segments.remove(segment)
        elif way == "append":
            block.segments.append(segment)
        else:
            by_location = way == "location" and block.location is not None
            segment.block = None if way == "none" else str(block.location) if by_location else block
        self.now[key]["block"] = None if way in ("none", "remove") else target

    @rule(place=PLACES)
    def look(self, place):
        key = self._of(Block, place)
        if key is not None:
            len(self._object(key).segments)

    @rule(model=st.sampled_from([Block, Segment]), place=PLACES)
    def delete(self, model, place):
        key = self._of(model, place)
        if key is None:
            return
        below = [item for item, state in self.now.items() if state["block"] == key]
        entity = self._object(key)
        if below and key in self.written:
            with pytest.raises(IntegrityError):
                self.session.delete(entity)
            return
        self.session.delete(entity)
        for item in [key, *below]:
            del self.now[item]

    # ---- the session

    @rule()
    def commit(self):
        self.session.commit()
        self._settled()

    @rule(lost=st.booleans(), name=NAMES, place=PLACES)
    def commit_with_a_fault(self, lost, name, place):
        (self.store.lose_answer if lost else self.store.fail)("apply")
        try:
            self.session.commit()
        except StoreUnavailable:
            self.rename(Block, place, name)
            self.add_segment(name, place, "append")
            self.session.commit()
        self.store.reconnect()
        self._settled()

    def _settled(self):
        assert (self.session.new, self.session.dirty, self.session.deleted) == ([], [], [])
        self.written = {key: dict(state) for key, state in self.now.items()}
        for key in self.written:
            if key in self.objects:
                self.locations[key] = str(self.objects[key].location)

    @rule()
    def rollback(self):
        before = len(self.store.calls)
        self.session.rollback()
        assert len(self.store.calls) == before
        self._undone()

    def _undone(self):
        self.now = {key: dict(state) for key, state in self.written.items()}
        self.objects = {key: item for key, item in self.objects.items() if key in self.written}

    @rule(data=st.data(), steps=st.integers(1, 4))
    def nested_that_fails(self, data, steps):
        now, objects = {key: dict(state) for key, state in self.now.items()}, dict(self.objects)
        work = [self.add_block, self.add_segment, self.rename, self.move, self.delete, self.annotate]
        try:
            with self.session.nested():
                for _ in range(steps):
                    self._one_of(data, work)
                raise ZeroDivisionError
        except ZeroDivisionError:
            pass
        self.now, self.objects = now, {key: item for key, item in self.objects.items() if key in objects}

    def _one_of(self, data, work):
        step = data.draw(st.sampled_from([item.__name__ for item in work]))
        name, place = data.draw(NAMES), data.draw(PLACES)
        model = data.draw(st.sampled_from([Block, Segment]))
        {
            "add_block": lambda: self.add_block(name),
            "add_segment": lambda: self.add_segment(name, place, "append"),
            "rename": lambda: self.rename(model, place, name),
            "move": lambda: self.move(place, len(name), "key"),
            "delete": lambda: self.delete(model, place),
            "annotate": lambda: self.annotate(model, place, name, 1),
        }[step]()

    @rule()
    def forget_what_is_held(self):
        self.objects = {key: item for key, item in self.objects.items() if key not in self.written}

    @rule()
    def expire(self):
        self.session.expire_all()

    @precondition(lambda self: self.now == self.written)
    @rule()
    def reopen(self):
        self.session.close()
        self.session = self.lab.session()
        self.objects = {}

    @precondition(lambda self: self.now == self.written)
    @rule(place=PLACES, name=NAMES)
    def another_session_changes_something(self, place, name):
        key = self._of(Segment, place)
        if key is None:
            return
        with self.lab.session() as other:
            segment = other.get(self.locations[key])
            segment.name = name
            segment.block = None
            other.commit()
        self.now[key].update(name=name, block=None)
        self.written = {item: dict(state) for item, state in self.now.items()}
        self.session.expire_all()

    # ---- what must hold

    @invariant()
    def the_session_shows_what_was_done(self):
        for key, entity in self.objects.items():
            if key not in self.now:
                continue
            state = self.now[key]
            assert entity.name == state["name"]
            assert entity.annotations == state["notes"]
            if state["model"] is Segment:
                assert (entity.block is None) == (state["block"] is None)
                if state["block"] in self.objects:
                    assert entity.block is self.objects[state["block"]]

    @invariant()
    def loaded_collections_hold_what_points_to_them(self):
        for key, entity in self.objects.items():
            if key in self.now and self.now[key]["model"] is Block and entity.__class__.segments is not None:
                collection = (entity._collections or {}).get("segments")
                if collection is None or not collection.loaded:
                    continue
                members = {item for item, state in self.now.items() if state["block"] == key}
                doomed = {id(item) for item in self.session.deleted}  # they stay until they are gone
                assert len([item for item in collection if id(item) not in doomed]) == len(members)
                held = {id(self.objects[item]) for item in members if item in self.objects}
                assert held <= {id(item) for item in collection}

    @invariant()
    def the_lab_holds_what_was_written(self):
        with self.lab.session(readonly=True) as other:
            blocks = other.query(Block).with_("segments").all()
            segments = other.query(Segment).all()
            assert sorted(map(_plain, blocks)) == sorted(map(_state, self._states(Block)))
            assert sorted(map(_plain, segments)) == sorted(map(_state, self._states(Segment)))
            shape = sorted(sorted(item.name for item in block.segments) for block in blocks)
            expected = [
                sorted(state["name"] for state in self.written.values() if state["block"] == key)
                for key, block in self.written.items()
                if block["model"] is Block
            ]
            assert shape == sorted(expected)

    def _states(self, model):
        return [state for state in self.written.values() if state["model"] is model]


def _plain(entity):
    return entity.name, repr(sorted(entity.annotations.items()))


def _state(state):
    return state["name"], repr(sorted(state["notes"].items()))


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=int(os.environ.get("GNODE_ORM_TEST_EXAMPLES", "25")), stateful_step_count=20, deadline=None
)
