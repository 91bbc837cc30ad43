"""A store that fails on demand: before a call, while an array is written, or after the work is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from gnode_orm.core.changes import ArrayRef, ArraySource, ChangeSet, DeletePreview, Receipt, Version, VersionRow
from gnode_orm.core.select import Select, Selected
from gnode_orm.errors import AccessDenied, StoreUnavailable, ValidationFailed
from gnode_orm.stores.protocol import Store

T = TypeVar("T")
ANY = "any call"


class _When(Enum):
    BEFORE = "before"
    DURING = "while"
    AFTER = "after"


@dataclass(slots=True)
class _Fault:
    method: str
    left: int
    when: _When
    happen: Callable[[], None]


class FaultyStore:
    """Wraps any store and disturbs chosen calls of it.

    Faults are announced with the method and the number of the call, counted from the announcement; each happens once.
    ``method`` may be left out, to mean any call; ``calls`` lists the methods called so far.

        store = FaultyStore(open_local(":memory:"))
        store.lose_answer("apply")                 # the next commit is written, but the session does not learn of it
        store.fail("apply", at=2)                  # the second one is not written
        session = Session(store=store)
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._faults: list[_Fault] = []
        self.calls: list[str] = []
        self.target = store.target
        self.inline_limit = store.inline_limit
        self.default_level = store.default_level

    def fail(self, method: str = ANY, *, at: int = 1, error: BaseException | None = None) -> None:
        """Raise instead of doing the work (``StoreUnavailable``, unless another error is given)."""
        self._announce(method, at, _When.BEFORE, _raising(error or StoreUnavailable("The store cannot be reached")))

    def refuse(self, method: str = ANY, *, at: int = 1) -> None:
        """Refuse a call as a store does where the user lacks the right."""
        self.fail(method, at=at, error=AccessDenied("The store refuses this to you"))

    def lose_answer(self, method: str = ANY, *, at: int = 1, error: BaseException | None = None) -> None:
        """Do the work, then raise: the answer got lost on its way."""
        lost = error or StoreUnavailable("The connection was lost before the answer came")
        self._announce(method, at, _When.AFTER, _raising(lost))

    def break_off(self, *, at: int = 1, error: BaseException | None = None) -> None:
        """Raise in the middle of the last array of a call; change sets have no middle, as they are written at once."""
        broken = error or StoreUnavailable("No space left on the device")
        self._announce("put_arrays", at, _When.DURING, _raising(broken))

    def delay(self, seconds: float, method: str = ANY, *, at: int = 1) -> None:
        """Wait before doing the work."""
        self._announce(method, at, _When.BEFORE, lambda: time.sleep(seconds))

    def disconnect(self) -> None:
        """Fail every call from now on, until ``reconnect``."""
        self._announce(ANY, 0, _When.BEFORE, _raising(StoreUnavailable("The store is disconnected")))

    def reconnect(self) -> None:
        """Forget every fault that did not happen yet."""
        self._faults.clear()

    def _announce(self, method: str, at: int, when: _When, happen: Callable[[], None]) -> None:
        if method != ANY and not callable(getattr(self._store, method, None)):
            raise ValidationFailed(f"A store has no method {method!r}", field="method", value=method)
        self._faults.append(_Fault(method, at, when, happen))

    def get(self, kind: str, ids: Sequence[int], actor: str, at: Version | None = None) -> list[tuple[Any, ...]]:
        return self._disturbed("get", lambda: self._store.get(kind, ids, actor, at))

    def select(self, select: Select, actor: str) -> Selected:
        return self._disturbed("select", lambda: self._store.select(select, actor))

    def count(self, select: Select, actor: str) -> int:
        return self._disturbed("count", lambda: self._store.count(select, actor))

    def count_by(self, select: Select, path: tuple[str, ...], actor: str) -> dict[int, int]:
        return self._disturbed("count_by", lambda: self._store.count_by(select, path, actor))

    def explain(self, select: Select, actor: str) -> list[str]:
        return self._disturbed("explain", lambda: self._store.explain(select, actor))

    def links(
        self, channels: Sequence[int], groups: Sequence[int], actor: str, at: Version | None = None
    ) -> list[tuple[int, int]]:
        return self._disturbed("links", lambda: self._store.links(channels, groups, actor, at))

    def apply(self, changes: ChangeSet, actor: str) -> Receipt:
        return self._disturbed("apply", lambda: self._store.apply(changes, actor))

    def receipt(self, change_set_id: str, actor: str) -> Receipt | None:
        return self._disturbed("receipt", lambda: self._store.receipt(change_set_id, actor))

    def put_arrays(self, items: Sequence[tuple[ArraySource, str | None]]) -> list[ArrayRef]:
        faults = self._due("put_arrays")
        broken = next((fault for fault in faults if fault.when is _When.DURING), None)
        given = list(items)
        if broken is not None:
            source, unit = given[-1]
            given[-1] = _BrokenOff(source, broken.happen), unit
        return _around(faults, lambda: self._store.put_arrays(given))

    def read_array(self, ref: ArrayRef, key: Any = ...) -> npt.NDArray[Any]:
        return self._disturbed("read_array", lambda: self._store.read_array(ref, key))

    def read_arrays(self, items: Sequence[tuple[ArrayRef, Any]]) -> list[npt.NDArray[Any]]:
        return self._disturbed("read_arrays", lambda: self._store.read_arrays(items))

    def __getattr__(self, name: str) -> Any:
        """What some stores have beyond the protocol, undisturbed."""
        return getattr(self.__dict__.get("_store"), name)

    def preview_delete(self, kind: str, id: int, actor: str) -> DeletePreview:
        return self._disturbed("preview_delete", lambda: self._store.preview_delete(kind, id, actor))

    def history(self, kind: str, id: int, actor: str) -> list[VersionRow]:
        return self._disturbed("history", lambda: self._store.history(kind, id, actor))

    def version_at(self, commit: str) -> Version | None:
        return self._disturbed("version_at", lambda: self._store.version_at(commit))

    def guid(self, kind: str, id: int, version: Version) -> str:
        return self._store.guid(kind, id, version)

    def access(self, kind: str, id: int, actor: str) -> dict[str, str]:
        return self._disturbed("access", lambda: self._store.access(kind, id, actor))

    def set_access(self, kind: str, id: int, access: dict[str, str], actor: str) -> None:
        self._disturbed("set_access", lambda: self._store.set_access(kind, id, access, actor))

    def close(self) -> None:
        self._store.close()

    def _disturbed(self, method: str, work: Callable[[], T]) -> T:
        return _around(self._due(method), work)

    def _due(self, method: str) -> list[_Fault]:
        """Count a call, and give the faults that it meets."""
        self.calls.append(method)
        concerned = [fault for fault in self._faults if fault.method in (method, ANY)]
        for fault in concerned:
            fault.left -= 1
        due = [fault for fault in concerned if fault.left == 0 or fault.left < 0]
        self._faults = [fault for fault in self._faults if fault.left != 0]
        return due


def _around(faults: list[_Fault], work: Callable[[], T]) -> T:
    for fault in faults:
        if fault.when is _When.BEFORE:
            fault.happen()
    done = work()
    for fault in faults:
        if fault.when is _When.AFTER:
            fault.happen()
    return done


def _raising(error: BaseException) -> Callable[[], None]:
    def happen() -> None:
        raise error

    return happen


class _BrokenOff:
    """An array whose second half cannot be read."""

    def __init__(self, source: ArraySource, happen: Callable[[], None]) -> None:
        self.dtype = source.dtype
        self.shape = source.shape
        self._source = source
        self._happen = happen

    def chunks(self) -> Iterator[npt.NDArray[Any]]:
        for chunk in self._source.chunks():
            yield np.ascontiguousarray(chunk[: len(chunk) // 2])
            self._happen()
