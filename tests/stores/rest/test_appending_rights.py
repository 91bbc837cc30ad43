"""An array grows for who may name it and its new rows, and for nobody else."""

from __future__ import annotations

import numpy as np
import pytest

from gnode_orm import AnalogSignalArray
from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.changes import ArrayMissing, ArrayRef
from gnode_orm.errors import AccessDenied, IntegrityError, NotFound
from gnode_orm.session import Session
from gnode_orm.stores.local.store import LocalStore
from gnode_orm.stores.rest.store import RestStore
from tests.stores.rest.growing import FEW, MANY, ROWS, WHOLE, held, stored
from tests.stores.rest.serving import Served
from tests.stores.rows import create


def of_ben(server: Served, ref: ArrayRef) -> ArrayHandle:
    """A handle that says to ben's store that it has an array."""
    return ArrayHandle.stored(server.by("ben"), ref)


def refusal(server: Served, base: ArrayRef, rows: ArrayHandle) -> ArrayMissing:
    with pytest.raises(ArrayMissing, match="is not in the lab") as caught:
        server.by("ben").put_arrays([(of_ben(server, base).extended(rows), "uV")])
    return caught.value


@pytest.mark.parametrize("secret", ["base", "rows"])
def test_what_is_not_open_to_somebody_is_for_him_as_if_it_was_not_there(
    server: Served, ann: RestStore, secret: str
) -> None:
    refs = stored(ann).ref, ArrayRef(bytes(32), "<i2", WHOLE.shape, "uV")
    own = stored(server.by("ben"), MANY)
    told = [
        refusal(server, ref, held(FEW)) if secret == "base" else refusal(server, own.ref, of_ben(server, ref))
        for ref in refs
    ]
    assert [error.hash for error in told] == [ref.hash for ref in refs]
    texts = {str(error).replace(ref.hash.hex(), "") for error, ref in zip(told, refs, strict=True)}
    assert len(texts) == 1


def test_a_shared_array_is_appended_to_while_it_is_shared(
    server: Served, ann: RestStore, session: Session, signal: AnalogSignalArray
) -> None:
    ben = server.by("ben")
    base = of_ben(server, signal.signal.ref)
    refusal(server, base.ref, held(FEW))
    session.share(signal.segment.block, "ben", "read")
    longer = ben.put_arrays([(base.extended(held(FEW)), "uV")])[0]
    create(ben, "analogsignalarray", by="ben", signal=longer)
    session.unshare(signal.segment.block, "ben")
    refusal(server, base.ref, held(MANY))
    assert np.array_equal(ben.read_array(longer, np.s_[ROWS:]), FEW)
    with pytest.raises(NotFound):
        ann.read_array(longer)


def test_the_longer_array_is_open_to_who_made_it_alone(server: Served, ann: RestStore, base: ArrayHandle) -> None:
    longer = ann.put_arrays([(base.extended(held(FEW)), "uV")])[0]
    ben = server.by("ben")
    with pytest.raises(IntegrityError, match="is not in the lab"):
        create(ben, "analogsignalarray", by="ben", signal=longer)
    with pytest.raises(NotFound):
        ben.read_array(longer)
    create(ann, "analogsignalarray", signal=longer)


@pytest.mark.parametrize(
    ("dtype", "shape"), [("<i4", WHOLE.shape), ("<i2", (ROWS // 2, 4)), ("<i2", (4, ROWS)), ("<i2", (ROWS * 4,))]
)
def test_an_array_that_is_another_than_is_said_is_not_appended_to(
    ann: RestStore, base: ArrayHandle, dtype: str, shape: tuple[int, ...]
) -> None:
    wrong = ArrayHandle.stored(ann, ArrayRef(base.ref.hash, dtype, shape, "uV"))
    rows = np.zeros((5, *shape[1:]), dtype)
    with pytest.raises(IntegrityError, match="is not in the lab"):
        ann.put_arrays([(wrong.extended(held(rows)), "uV")])


def test_a_lab_that_is_only_read_takes_no_rows(local: LocalStore, ann: RestStore, base: ArrayHandle) -> None:
    local.readonly = True
    with pytest.raises(AccessDenied, match="readonly"):
        ann.put_arrays([(base.extended(held(FEW)), "uV")])
