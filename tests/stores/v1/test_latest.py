"""A mapping that keeps its latest entries."""

from gnode_orm.stores.rest.v1.latest import Latest


def test_the_oldest_entries_go_beyond_the_limit():
    latest = Latest[str, int](2)
    for number, key in enumerate("abc"):
        latest[key] = number
    assert dict(latest) == {"b": 1, "c": 2}


def test_an_entry_that_is_written_again_keeps_its_place():
    latest = Latest[str, int](2)
    for key in "abac":
        latest[key] = 0
    assert list(latest) == ["b", "c"]
