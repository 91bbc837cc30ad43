from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

from gnode_orm.core.annotations import AnnotationDict, AnnotationList, Watcher
from gnode_orm.errors import ValidationFailed


class Pair(NamedTuple):
    one: Any
    other: Any


class Owner:
    """Counts edits and keeps what the field held when each was announced."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.annotations = AnnotationDict(
            {"a": 1, "d": {"x": [1, 2, {"y": 3}]}, "l": [3, 1, 2], "t": ([1], 2)}, Watcher(self, "annotations")
        )

    def _before_edit(self, field: str) -> None:
        assert field == "annotations"
        self.seen.append(copy.deepcopy(self.annotations))


DICT_EDITS: list[Callable[[Any], Any]] = [
    lambda d: d.__setitem__("new", 1),
    lambda d: d.__delitem__("a"),
    lambda d: d.update(new=1),
    lambda d: d.update({"new": 1}),
    lambda d: d.__ior__({"new": 1}),
    lambda d: d.setdefault("new", []),
    lambda d: d.pop("a"),
    lambda d: d.popitem(),
    lambda d: d.clear(),
]
LIST_EDITS: list[Callable[[Any], Any]] = [
    lambda items: items.append(1),
    lambda items: items.insert(0, 1),
    lambda items: items.extend([1, 2]),
    lambda items: items.__setitem__(0, 9),
    lambda items: items.__setitem__(slice(0, 2), [9]),
    lambda items: items.__delitem__(0),
    lambda items: items.__delitem__(slice(0, 2)),
    lambda items: items.__iadd__([1]),
    lambda items: items.__imul__(2),
    lambda items: items.pop(),
    lambda items: items.pop(0),
    lambda items: items.remove(1),
    lambda items: items.clear(),
    lambda items: items.sort(),
    lambda items: items.reverse(),
]
DEEP_EDITS: list[Callable[[Any], Any]] = [
    lambda d: d["d"].__setitem__("z", 1),
    lambda d: d["d"]["x"].append(1),
    lambda d: d["d"]["x"][2].__setitem__("y", 4),
    lambda d: d["t"][0].append(2),
]


@pytest.mark.parametrize("act", DICT_EDITS)
def test_every_edit_of_a_dictionary_is_announced_before_it_is_made(act: Callable[[Any], Any]) -> None:
    owner = Owner()
    before = copy.deepcopy(owner.annotations)
    act(owner.annotations)
    assert owner.seen == [before]
    assert owner.annotations != before


@pytest.mark.parametrize("act", LIST_EDITS)
def test_every_edit_of_a_list_is_announced_and_does_what_a_list_does(act: Callable[[Any], Any]) -> None:
    owner = Owner()
    plain = [3, 1, 2]
    act(owner.annotations["l"])
    act(plain)
    assert len(owner.seen) == 1
    assert owner.seen[0]["l"] == [3, 1, 2]
    assert owner.annotations["l"] == plain


@pytest.mark.parametrize("act", DEEP_EDITS)
def test_edits_at_depth_are_announced(act: Callable[[Any], Any]) -> None:
    owner = Owner()
    before = copy.deepcopy(owner.annotations)
    act(owner.annotations)
    assert owner.seen == [before]


@pytest.mark.parametrize("shape", [(), (2,), (1, 2)])
def test_lists_inside_arrays_of_objects_and_named_tuples_are_watched(shape: tuple[int, ...]) -> None:
    owner = Owner()
    array: Any = np.empty(shape, object)
    for place in np.ndindex(shape):
        array[place] = [1]
    owner.annotations.update(array=array, pair=Pair([1], 2))
    owner.seen.clear()
    for items in (owner.annotations["array"].flat[0], owner.annotations["pair"][0]):
        items.append(2)
    assert [copy_["array"].flat[0] for copy_ in owner.seen] == [[1], [1, 2]]
    assert [copy_["pair"][0] for copy_ in owner.seen] == [[1], [1]]
    assert array.flat[0] == [1]


def test_what_was_put_in_later_is_watched_too() -> None:
    owner = Owner()
    given = {"x": []}
    owner.annotations["n"] = given
    owner.annotations["n"]["x"].append(1)
    assert len(owner.seen) == 2
    assert given == {"x": []}


REFUSED: list[Callable[[Any, Any], Any]] = [
    lambda d, bad: d.__setitem__("new", bad),
    lambda d, bad: d.update(good=1, bad=bad),
    lambda d, bad: d.__ior__({"bad": bad}),
    lambda d, bad: d.setdefault("new", bad),
    lambda d, bad: d["l"].append(bad),
    lambda d, bad: d["l"].insert(0, bad),
    lambda d, bad: d["l"].extend([1, bad]),
    lambda d, bad: d["l"].__setitem__(0, bad),
    lambda d, bad: d["l"].__setitem__(slice(0, 1), [1, bad]),
    lambda d, bad: d["l"].__iadd__([bad]),
    lambda d, bad: d["d"].__setitem__("x", {"y": [bad]}),
]


@pytest.mark.parametrize("act", REFUSED)
@pytest.mark.parametrize("bad", [object(), {1, 2}, "\ud800", {1: 2}], ids=["object", "set", "surrogate", "key"])
def test_what_cannot_be_kept_is_refused_and_nothing_changes(act: Callable[[Any, Any], Any], bad: Any) -> None:
    owner = Owner()
    before = copy.deepcopy(owner.annotations)
    with pytest.raises(ValidationFailed):
        act(owner.annotations, bad)
    assert owner.seen == []
    assert owner.annotations == before


FAILING: list[tuple[Callable[[Any], Any], type[Exception]]] = [
    (lambda d: d.__delitem__("none"), KeyError),
    (lambda d: d.pop("none"), KeyError),
    (lambda d: d["l"].remove("none"), ValueError),
    (lambda d: d["l"].sort(key=lambda item: [item] if item > 1 else item), TypeError),
]


@pytest.mark.parametrize(("act", "error"), FAILING)
def test_an_edit_that_fails_is_not_announced(act: Callable[[Any], Any], error: type[Exception]) -> None:
    owner = Owner()
    before = copy.deepcopy(owner.annotations)
    with pytest.raises(error):
        act(owner.annotations)
    assert owner.seen == []
    assert owner.annotations == before


def test_reading_is_not_announced() -> None:
    owner = Owner()
    assert owner.annotations.get("a") == 1
    assert owner.annotations.setdefault("a", 2) == 1
    assert owner.annotations.pop("none", 7) == 7
    assert list(owner.annotations) == ["a", "d", "l", "t"]
    assert owner.seen == []


def test_sorting_and_reversing_keep_the_objects() -> None:
    owner = Owner()
    inner = owner.annotations["d"]["x"][2]
    owner.annotations["d"]["x"].reverse()
    assert owner.annotations["d"]["x"][0] is inner


def test_arrays_are_read_only_copies() -> None:
    array = np.arange(3)
    held = AnnotationDict({"a": array, "l": [array]})
    array[0] = 9
    assert held["a"].tolist() == held["l"][0].tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="read-only"):
        held["a"][0] = 1


def test_copies_are_plain_and_independent() -> None:
    owner = Owner()
    twin = copy.deepcopy(owner.annotations)
    assert type(twin) is dict
    assert type(twin["l"]) is list
    twin["l"].append(1)
    assert owner.annotations["l"] == [3, 1, 2]
    assert owner.seen == []
    assert type(copy.copy(owner.annotations)) is dict
    assert type(copy.copy(owner.annotations["l"])) is list
    assert type(copy.deepcopy(owner.annotations["l"])) is list


def test_a_pickled_container_has_no_owner() -> None:
    owner = Owner()
    again = pickle.loads(pickle.dumps(owner.annotations))
    again["l"].append(1)
    assert isinstance(again, AnnotationDict)
    assert isinstance(again["l"], AnnotationList)
    assert owner.annotations["l"] == [3, 1, 2]
    assert owner.seen == []


def test_annotations_do_not_keep_their_owner_alive() -> None:
    held = Owner().annotations
    held["a"] = 2
    assert held["a"] == 2
