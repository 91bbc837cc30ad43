"""Classes below a kind: what they add is in memory alone, and goes along with the object."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from pydantic import Field, PrivateAttr, computed_field, model_validator

from gnode_orm import Block, Segment, Session
from gnode_orm.errors import UnknownField


class Trial(Segment):
    number: int = 0
    tags: list[str] = Field(default_factory=list)
    _seen: int = PrivateAttr(default=1)
    _notes: list[str] = PrivateAttr(default_factory=list)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def title(self) -> str:
        return f"{self._seen} {len(self.analogsignals)} {self.id is None}"


def test_private_attributes_belong_to_each_object() -> None:
    one, other = Trial("a"), Trial("b")
    one._seen = 5
    one._notes.append("x")
    assert (one._seen, one._notes, other._seen, other._notes) == (5, ["x"], 1, [])
    with pytest.raises(UnknownField, match="_sen"):
        getattr(one, "_sen")  # noqa: B009


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda item: item.model_copy(), lambda item: pickle.loads(pickle.dumps(item))]
)
def test_copies_have_what_a_class_below_a_kind_adds(again: Any) -> None:
    trial = Trial("a", number=3, tags=["x"])
    trial._seen = 5
    twin = again(trial)
    twin._seen += 1
    assert (twin.number, twin.tags, twin._seen, trial._seen) == (3, ["x"], 6, 5)


def test_dumps_have_what_a_class_below_a_kind_adds() -> None:
    dumped = Trial("a", number=3).model_dump()
    assert (dumped["number"], dumped["tags"], dumped["title"]) == (3, [], "1 0 True")


def test_a_stored_object_keeps_what_its_class_adds() -> None:
    with Session(":memory:") as session:
        trial = session.add(Trial("a", number=3))
        session.commit()
        trial.number, trial.name = 4, "b"
        session.rollback()
        assert (trial.number, trial.name) == (3, "a")
        session.expire_all()
        assert (trial.name, trial.number, trial.model_dump()["title"]) == ("a", 3, "1 0 False")


class ByName(Block):
    def __eq__(self, other: object) -> bool:
        return isinstance(other, ByName) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)


class WithoutHash(Block):
    def __eq__(self, other: object) -> bool:
        return self is other


@pytest.mark.parametrize("model", [ByName, WithoutHash])
def test_parents_are_told_apart_by_identity_whatever_equality_their_class_has(model: type[Block]) -> None:
    with Session(":memory:") as session:
        blocks = session.add_all([model("same"), model("same")])
        for block in blocks:
            Segment("s", block=block)
        session.commit()
        assert [segment.block is block for block in blocks for segment in block.segments] == [True, True]
        session.expire_all()
        assert [len(block.segments) for block in blocks] == [1, 1]
        first, second = blocks
        first.segments[0].block = second
        session.commit()
        assert [len(block.segments) for block in blocks] == [0, 2]


def test_conditions_of_a_class_below_a_kind_are_those_of_the_kind() -> None:
    with Session(":memory:") as session:
        session.add_all([Trial("a"), Trial("b")])
        session.commit()
        assert session.query(Segment).where(Trial.name == "b").count() == 1
    with pytest.raises(UnknownField, match="number"):
        _ = Trial.number == 3


def test_a_validator_of_the_whole_model_is_refused_since_none_is_called() -> None:
    with pytest.raises(TypeError, match=r"Odd\.odd: .*write check\(self\)"):

        class Odd(Segment):
            @model_validator(mode="after")
            def odd(self) -> Odd:
                return self
