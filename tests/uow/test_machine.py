"""Random work on one lab by several sessions, beside plain dictionaries that say what must come of it.

``GNODE_ORM_TEST_EXAMPLES`` sets how many examples are tried.
"""

from __future__ import annotations

import copy
import itertools
import os

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gnode_orm import Block, Location, Segment
from gnode_orm.errors import ConflictError, IntegrityError, NotFound, StoreUnavailable
from gnode_orm.session import Lab
from gnode_orm.stores.local import open_local
from gnode_orm.testing import FaultyStore

NAMES = st.sampled_from(["a", "b", "c"])
PLACES = st.integers(0, 7)
MODELS = st.sampled_from([Block, Segment])
FIELDS = ("name", "notes", "block")

# Each example has a user of its own, who sees nothing of the others, so that a lab serves many of them.
_EXAMPLES_PER_LAB = 50
_LABS: list[FaultyStore] = []
_COUNT = itertools.count()


def faulty_store():
    """A lab in memory for the next example."""
    if next(_COUNT) % _EXAMPLES_PER_LAB == 0:
        while _LABS:
            _LABS.pop().close()
        _LABS.append(FaultyStore(open_local(":memory:")))
    return _LABS[0]


@pytest.fixture(scope="module", autouse=True)
def labs_closed():
    """Close the last lab."""
    yield
    while _LABS:
        _LABS.pop().close()


def _in_order(value):
    """Annotations keep the order in which they were made: another order is a change."""
    return list(value.items()) if isinstance(value, dict) else value


class Machine(RuleBasedStateMachine):
    """Blocks and segments by number.

    ``now`` is what the session must show, ``written`` what the lab must hold, with a version for each object; ``base``
    is what changed objects were like when they were first changed, with the version of then.
    """

    def __init__(self) -> None:
        super().__init__()
        self.store = faulty_store()
        self.store.reconnect()
        self.lab = Lab(self.store, f"user {next(_COUNT)}")
        self.session = self.lab.session()
        self.second = None
        self.objects: dict[int, object] = {}
        self.now: dict[int, dict] = {}
        self.base: dict[int, dict] = {}
        self.doomed: dict[int, dict] = {}
        self.written: dict[int, dict] = {}
        self.locations: dict[int, str] = {}
        self.count = 0
        self.looked_at = True

    def teardown(self) -> None:
        self.session.close()
        if self.second is not None:
            self.second[0].close()

    def _of(self, model, place):
        found = [key for key, state in self.now.items() if state["model"] is model]
        return found[place % len(found)] if found else None

    def _stored(self, model, place):
        found = [key for key, state in self.written.items() if state["model"] is model]
        return found[place % len(found)] if found else None

    def _object(self, key):
        if key not in self.objects:
            self.objects[key] = self.session.get(self.locations[key])
        return self.objects[key]

    def _new(self, entity, **state):
        self.count += 1
        self.objects[self.count] = entity
        self.now[self.count] = {
            "model": type(entity), "name": entity.name, "notes": {}, "block": None, "version": 0, **state
        }  # fmt: skip

    def _set(self, key, **fields):
        if key in self.written:
            self.base.setdefault(key, self.now[key])
        self.now[key] = {**self.now[key], **fields}
        if key in self.base and key not in self._changed() and self.base[key]["version"] != self._version(key):
            self._catch_up()  # what was set back may be read anew at any time

    def _changed(self):
        """The fields that a commit would write, of each object."""
        changed = {
            key: [field for field in FIELDS if _in_order(self.now[key][field]) != _in_order(base[field])]
            for key, base in self.base.items()
        }
        return {key: fields for key, fields in changed.items() if fields}

    @initialize()
    def start(self):
        self.add_block("a")
        self.commit()

    @rule(name=NAMES)
    def add_block(self, name):
        self._new(self.session.add(Block(name)))

    @rule(name=NAMES, place=PLACES, way=st.sampled_from(["append", "key", "loose"]))
    def add_segment(self, name, place, way):
        segment, key = Segment(name), self._of(Block, place)
        if way == "loose" or key is None:
            self._new(self.session.add(segment))
            return
        if way == "append":
            self._object(key).segments.append(segment)
        else:
            segment.block = self._object(key)
        self._new(segment, block=key)

    @rule(model=MODELS, place=PLACES, way=st.sampled_from([copy.copy, copy.deepcopy, lambda item: item.model_copy()]))
    def copy(self, model, place, way):
        key = self._of(model, place)
        if key is None:
            return
        twin = way(self._object(key))
        assert twin.location is None
        self.session.add(twin)
        self._new(twin, **{field: self.now[key][field] for field in ("notes", "block")})

    @rule(model=MODELS, place=PLACES, name=NAMES)
    def set(self, model, place, name):
        key = self._of(model, place)
        if key is not None:
            self._object(key).name = name
            self._set(key, name=name)

    @rule(model=MODELS, place=PLACES, name=NAMES, value=st.integers(0, 2))
    def annotate(self, model, place, name, value):
        key = self._of(model, place)
        if key is None:
            return
        notes, before = self._object(key).annotations, self.now[key]["notes"]
        if value == 0:
            notes.pop(name, None)
            self._set(key, notes={k: v for k, v in before.items() if k != name})
        else:
            notes.setdefault(name, {"list": []})["list"].append(value)
            self._set(key, notes={**before, name: {"list": [*before.get(name, {"list": []})["list"], value]}})

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
        self._set(key, block=None if way in ("none", "remove") else target)

    @rule(place=PLACES)
    def look(self, place):
        key = self._of(Block, place)
        if key is not None:
            len(self._object(key).segments)

    @rule(model=MODELS, place=PLACES)
    def delete(self, model, place):
        key = self._of(model, place)
        if key is None:
            return
        entity, new_below = self._object(key), [k for k in self._below(key) if not self.now[k]["version"]]
        if self._moved_below(key) or (key in self.written and (new_below or self._staying_below(key))):
            with pytest.raises(IntegrityError):
                self.session.delete(entity)
            return
        self.session.delete(entity)
        if key in self.written:
            self.doomed[key] = self.base.get(key, self.now[key])
        for item in [key, *new_below]:
            del self.now[item]
            self.base.pop(item, None)

    def _below(self, key):
        return [item for item, state in self.now.items() if state["block"] == key]

    def _moved_below(self, key):
        """Stored objects that hang below a block here alone."""
        stored = {item: self.base.get(item, self.now[item]) for item in self._below(key) if self.now[item]["version"]}
        return [item for item, state in stored.items() if state["block"] != key]

    def _staying_below(self, key):
        """What hangs below a stored block for the lab, and is not about to leave."""
        below = [item for item, state in self.written.items() if state["block"] == key and item not in self.doomed]
        return [item for item in below if self.now[item]["block"] == key]

    @rule(flush=st.booleans(), how=st.sampled_from(["mine", "theirs", "rollback"]))
    def commit(self, flush=False, how="theirs"):
        write = self.session.flush if flush else self.session.commit
        if not self._conflicts():
            write()
            self._settled()
            return
        with pytest.raises(ConflictError) as failure:
            write()
        if how == "rollback":
            self.rollback()
        else:
            self._resolve(failure.value, how)
            if any(self._staying_below(key) for key in self.doomed):
                # What was to be deleted as well stays after all.
                with pytest.raises(IntegrityError):
                    write()
                self.rollback()
                return
            write()
            self._settled()

    def _conflicts(self):
        """Objects to change or delete that somebody else wrote since; two may delete the same one."""
        found = {key for key in self._changed() if self._version(key) != self.base[key]["version"]}
        return found | {key for key, state in self.doomed.items() if self._version(key) not in (None, state["version"])}

    def _version(self, key):
        return self.written[key]["version"] if key in self.written else None

    def _resolve(self, error, how):
        conflicts, changed = self._conflicts(), self._changed()
        assert {str(item.obj.location) for item in error.conflicts} == {self.locations[key] for key in conflicts}
        gone = [key for key in conflicts if key not in self.written]
        if how == "mine" and gone:
            with pytest.raises(ConflictError, match="copy it"):
                error.resolve("mine")
            how = "theirs"
        error.resolve(how)
        for key in conflicts:
            mine, base = self.now.get(key), self.base.pop(key, None)
            if key in gone:
                del self.now[key]
            elif how == "theirs":
                self.doomed.pop(key, None)
                self.now[key] = self.written[key]
            elif key not in self.doomed:
                self.now[key] = dict(self.written[key])
                self._set(key, **{field: self._mine(field, base, mine, key) for field in changed[key]})
            else:
                self.doomed[key] = self.written[key]

    def _mine(self, field, base, mine, key):
        """This side's value on top of what the lab holds; annotations key by key."""
        if field != "notes":
            return mine[field]
        theirs = dict(self.written[key]["notes"])
        for name in {**base["notes"], **mine["notes"]}:
            if base["notes"].get(name) != mine["notes"].get(name):
                theirs.pop(name, None)
                if name in mine["notes"]:
                    theirs[name] = mine["notes"][name]
        return theirs

    def _settled(self):
        assert (self.session.new, self.session.dirty, self.session.deleted) == ([], [], [])
        self._take()

    def _take(self, now=None):
        """The lab holds what was pending."""
        changed = {*self._changed(), *(key for key in self.now if key not in self.written)}
        for key in changed:
            if key in self.objects and self.objects[key].location is not None:
                self.locations[key] = str(self.objects[key].location)
            self.now[key] = {**self.now[key], "version": self._tick()}
        for key in self.doomed:
            self.written.pop(key, None)
        self.written.update({key: self.now[key] for key in changed})
        self.base, self.doomed, self.looked_at = {}, {}, False

    def _tick(self):
        self.count += 1
        return self.count

    @precondition(lambda self: not self._conflicts())
    @rule(
        lost=st.booleans(),
        then=st.sampled_from(["commit", "edit", "rollback", "fail again"]),
        name=NAMES,
        place=PLACES,
    )
    def commit_with_a_fault(self, lost, then, name, place):
        (self.store.lose_answer if lost else self.store.fail)("apply")
        try:
            self.session.commit()
        except StoreUnavailable:
            if then == "rollback":
                self._roll_back_in_doubt(lost)
                return
            if then == "edit":
                self.set(Block, place, name)
                self.add_segment(name, place, "append")
            elif then == "fail again":
                self.store.fail()
                with pytest.raises(StoreUnavailable):
                    self.session.commit()
            self.session.commit()
        self.store.reconnect()
        self._settled()

    def _roll_back_in_doubt(self, taken):
        """What the lab took is there, and what it did not take never comes."""
        made = [key for key in self.now if key not in self.written]
        if taken:
            for key in made:
                entity = self.objects[key]
                self.locations[key] = str(Location.of_number(entity.kind, entity._state.id))
            changed, doomed = self._changed(), list(self.doomed)
            kept = {key: self.now[key] for key in [*changed, *made]}
        self.rollback()
        if taken:
            for key in doomed:
                del self.written[key], self.now[key]
            self.written.update({key: {**state, "version": self._tick()} for key, state in kept.items()})
            self.now, self.looked_at = dict(self.written), False
        self.objects = {key: item for key, item in self.objects.items() if key in self.now and key not in made}
        self.session.expire_all()

    @precondition(lambda self: not self._conflicts())
    @rule(model=MODELS, place=PLACES, name=NAMES, lost=st.booleans())
    def edit_while_committing(self, model, place, name, lost):
        key = self._of(model, place)
        if key is None:
            return
        entity, sent = self._object(key), []
        apply = self.store.apply

        def disturbed(changes, actor):
            receipt = apply(changes, actor)
            sent.append(entity.name)
            entity.name = name
            if lost:
                raise StoreUnavailable("the answer got lost")
            return receipt

        self.store.apply = disturbed
        try:
            self.session.commit()
        except StoreUnavailable:
            pass
        finally:
            del self.store.apply
        if not sent:
            self._settled()
            return
        if lost:
            self.session.commit()
        self._take()
        self._set(key, name=name)
        if lost:
            self._settled()

    @rule()
    def rollback(self):
        before = len(self.store.calls)
        self.session.rollback()
        assert len(self.store.calls) == before
        assert (self.session.new, self.session.dirty, self.session.deleted) == ([], [], [])
        back = {**self.base, **self.doomed}
        self.now = {key: back.get(key, state) for key, state in self.written.items()}
        self.objects = {key: item for key, item in self.objects.items() if key in self.written}
        self.base, self.doomed = {}, {}
        self._catch_up()

    @rule(data=st.data(), steps=st.integers(1, 4), fails=st.booleans())
    def nested(self, data, steps, fails):
        before = [dict(item) for item in (self.now, self.base, self.doomed)]
        objects = dict(self.objects)
        try:
            with self.session.nested():
                for _ in range(steps):
                    self._one_step(data)
                if fails:
                    raise ZeroDivisionError
        except ZeroDivisionError:
            self.now, self.base, self.doomed = before
            self.objects = {key: item for key, item in self.objects.items() if key in objects or key in self.now}
            # What was pending and is let go of inside comes back.
            self.objects |= {key: item for key, item in objects.items() if key in self.now and item in self.session}

    def _one_step(self, data):
        name, place, model = data.draw(NAMES), data.draw(PLACES), data.draw(MODELS)
        steps = {
            "add_block": lambda: self.add_block(name),
            "add_segment": lambda: self.add_segment(name, place, "append"),
            "set": lambda: self.set(model, place, name),
            "move": lambda: self.move(place, len(name), "key"),
            "delete": lambda: self.delete(model, place),
            "annotate": lambda: self.annotate(model, place, name, 1),
            "copy": lambda: self.copy(model, place, copy.copy),
            "expunge": lambda: self.expunge(place, data.draw(st.booleans())),
        }
        steps[data.draw(st.sampled_from(sorted(steps)))]()

    @rule()
    def forget_what_is_held(self):
        self.objects = {key: item for key, item in self.objects.items() if key not in self.written}

    @rule(place=PLACES, again=st.booleans())
    def expunge(self, place, again):
        key = self._of(Segment, place)
        if key is None:
            return
        entity = self._object(key)
        self.session.expunge(entity)
        if again:
            self.session.add(entity)
            return
        del self.objects[key], self.now[key]
        self.base.pop(key, None)
        self._catch_up()

    @rule()
    def expire(self):
        self.session.expire_all()
        self._catch_up()

    def _catch_up(self):
        """What has no change of this session is shown as the lab holds it."""
        self.session.expire_all()
        self.base = {key: base for key, base in self.base.items() if key in self._changed()}
        for key in list(self.now):
            if key in self.written and key not in self.base:
                self.now[key] = self.written[key]
            elif key not in self.written and self.now[key]["version"] and key not in self.base:
                del self.now[key]
                self.objects.pop(key, None)
        for key, state in self.written.items():
            if key not in self.doomed:
                self.now.setdefault(key, state)

    @rule()
    def close_and_reopen(self):
        self.session.close()
        self.session = self.lab.session()
        self.objects, self.base, self.doomed = {}, {}, {}
        self.now = dict(self.written)

    @rule(place=PLACES, name=NAMES, what=st.sampled_from(["rename", "annotate", "part", "delete"]))
    def another_session_writes(self, place, name, what):
        key = self._stored(Segment, place)
        if key is None:
            return
        with self.lab.session() as other:
            segment = other.get(self.locations[key])
            before = self.written[key]
            if what == "delete":
                other.delete(segment)
            elif what == "annotate":
                segment.annotations[name] = {"list": [9]}
                before = {**before, "notes": {**before["notes"], name: {"list": [9]}}}
            elif what == "rename":
                segment.name = name
                before = {**before, "name": name}
            else:
                segment.block = None
                before = {**before, "block": None}
            wrote = bool(other.commit().counts)
        if what == "delete":
            del self.written[key]
        elif wrote:
            self.written[key] = {**before, "version": self._tick()}
        self.looked_at = False
        self._catch_up()

    @precondition(lambda self: self.second is None)
    @rule(place=PLACES, name=NAMES)
    def a_second_session_begins(self, place, name):
        key = self._stored(Segment, place)
        if key is not None:
            session = self.lab.session()
            segment = session.get(self.locations[key])
            segment.name = name
            self.second = (session, key, name, self.written[key])

    @precondition(lambda self: self.second is not None)
    @rule()
    def the_second_session_commits(self):
        session, key, name, base = self.second
        self.second = None
        if base["name"] == name:
            session.commit()
        elif self._version(key) == base["version"]:
            session.commit()
            self.written[key] = {**self.written[key], "name": name, "version": self._tick()}
            self.looked_at = False
        else:
            with pytest.raises(ConflictError):
                session.commit()
        session.close()
        self._catch_up()

    @rule(model=MODELS, place=PLACES, name=NAMES)
    def merge(self, model, place, name):
        key = self._stored(model, place)
        if key is None:
            return
        with self.lab.session() as other:
            loose = other.get(self.locations[key])
            assert loose.annotations is not None
        loose.name = name
        changed = name != self.written[key]["name"]
        if key in self.doomed:
            with pytest.raises(NotFound):
                self.session.merge(loose)
        elif changed and key in self._changed() and self.base[key]["version"] != self._version(key):
            with pytest.raises(ConflictError):
                self.session.merge(loose)
        else:
            merged = self.session.merge(loose)
            assert self.objects.setdefault(key, merged) is merged
            if changed:
                self._set(key, name=name)

    @invariant()
    def the_session_shows_what_was_done(self):
        for key, entity in self.objects.items():
            if key not in self.now:
                continue
            state = self.now[key]
            assert entity.name == state["name"]
            assert entity.annotations == state["notes"]
            if state["model"] is Segment:
                assert (entity.ref("block") is None and vars(entity).get("block") is None) == (state["block"] is None)
                if state["block"] in self.objects:
                    assert entity.block is self.objects[state["block"]]

    @invariant()
    def the_session_knows_what_is_pending(self):
        new = {id(self.objects[key]) for key, state in self.now.items() if not state["version"]}
        assert {id(item) for item in self.session.new} == new
        changed = {self.locations[key] for key in self._changed()}
        assert {str(item.location) for item in self.session.dirty} == changed
        assert {str(item.location) for item in self.session.deleted} == {self.locations[key] for key in self.doomed}

    @invariant()
    def loaded_collections_hold_what_points_to_them(self):
        if any(self.base[key]["version"] != self._version(key) for key in self._changed()):
            return  # what others did to objects that are changed here is not seen before the conflict is settled
        doomed = {id(item) for item in self.session.deleted}  # they stay until they are gone
        for key, entity in self.objects.items():
            collection = (entity._collections or {}).get("segments")
            if key not in self.now or collection is None or not collection.loaded:
                continue
            members = self._below(key)
            assert len([item for item in collection if id(item) not in doomed]) == len(members)
            assert {id(self.objects[item]) for item in members if item in self.objects} <= {id(x) for x in collection}

    @invariant()
    def the_lab_holds_what_was_written(self):
        if self.looked_at:
            return
        self.looked_at = True
        with self.lab.session(readonly=True) as other:
            blocks = other.query(Block).with_("segments").all()
            segments = other.query(Segment).all()
            found = {str(item.location): _plain(item) for item in [*blocks, *segments]}
            below = {str(block.location): {str(item.location) for item in block.segments} for block in blocks}
        assert found == {self.locations[key]: _state(state) for key, state in self.written.items()}
        assert below == {
            self.locations[key]: {self.locations[k] for k, state in self.written.items() if state["block"] == key}
            for key, block in self.written.items()
            if block["model"] is Block
        }


def _plain(entity):
    return entity.name, repr(sorted(entity.annotations.items()))


def _state(state):
    return state["name"], repr(sorted(state["notes"].items()))


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=int(os.environ.get("GNODE_ORM_TEST_EXAMPLES", "200")), stateful_step_count=25, deadline=None
)
