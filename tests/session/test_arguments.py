"""Public calls with an argument of another type say which one it is, what it was, and what to give instead."""

from __future__ import annotations

import re

import pytest
import quantities as pq

from gnode_orm import AnalogSignal, Block, Segment, Session, validate
from gnode_orm.errors import GnodeError, QueryError, ValidationFailed
from gnode_orm.session.lab import Lab

STORES = ("memory", "rest")

SIGNAL = AnalogSignal([[1.0]] * pq.mV, sampling_rate=1 * pq.Hz, t_start=0 * pq.s)
CALLS = {
    "is_modified": lambda session, block: session.is_modified(5),
    "changes": lambda session, block: session.changes("x"),
    "commit": lambda session, block: session.commit(plan=5),
    "export": lambda session, block: session.export(5, "out.nix"),
    "export condition": lambda session, block: session.export(Segment.name == "a", "out.nix"),
    "export path": lambda session, block: session.export(block, 5),
    "add_all": lambda session, block: session.add_all(5),
    "load_arrays": lambda session, block: session.load_arrays(None),
    "delete": lambda session, block: session.delete(Block),
    "preview_delete": lambda session, block: session.preview_delete(Block),
    "refresh": lambda session, block: session.refresh(Block),
    "refresh collections": lambda session, block: session.refresh(block, ["segments"]),
    "expunge": lambda session, block: session.expunge(Block),
    "on": lambda session, block: session.on([], print),
    "share": lambda session, block: session.share(block, ["bob"]),
    "share level": lambda session, block: session.share(block, "bob", ["read"]),
    "unshare": lambda session, block: session.unshare(block, {}),
    "permissions": lambda session, block: session.permissions(block, 5),
    "import_file": lambda session, block: session.import_file(5),
    "import_file template": lambda session, block: session.import_file("x", template=5),
    "plan_import": lambda session, block: session.plan_import(5),
    "plan_import paths": lambda session, block: session.plan_import([5]),
    "plan_import options": lambda session, block: session.plan_import("x", reader_options=5),
    "select": lambda session, block: session.select(["block"]),
    "select filters": lambda session, block: session.select("block", 5),
    "select lookups": lambda session, block: session.select("block", {1: 2}),
    "filter range": lambda session, block: session.query(Block).filter(index__range=5),
    "filter range of one": lambda session, block: session.query(Block).filter(index__range=[5]),
    "filter in": lambda session, block: session.query(Block).filter(index__in=5 * pq.mV),
    "ref": lambda session, block: block.ref(["metadata"]),
    "append": lambda session, block: block.segments.append(Segment.name == "a"),
    "extend": lambda session, block: block.segments.extend(5),
    "collection": lambda session, block: setattr(block, "segments", 5),
    "Session": lambda session, block: Session(lab=5),
    "Lab": lambda session, block: Lab(5),
    "validate": lambda session, block: validate(block, template=5),
    "downsample": lambda session, block: SIGNAL.downsample(True),
    "channels": lambda session, block: SIGNAL.time_slice(channels=5 * pq.mV),
}  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
def test_an_argument_of_another_type_is_refused_in_words(session, call):
    block = session.add(Block("b"))
    session.commit()
    with pytest.raises(GnodeError) as caught:
        CALLS[call](session, block)
    assert re.search(r"5|x|True|\[|\{|None|Block|Segment", str(caught.value))
    assert (session.new, session.dirty, session.deleted) == ([], [], [])


def test_the_refusal_names_argument_value_and_remedy(session):
    with pytest.raises(
        ValidationFailed, match=r"commit\(plan\): 5 is of type int; give what session.plan\(\) gave"
    ) as one:
        session.commit(plan=5)
    assert (one.value.field, one.value.value) == ("plan", 5)
    with pytest.raises(QueryError, match=r"range=\[5\]: two values are needed, such as \(1, 5\)"):
        session.query(Block).filter(index__range=[5])
