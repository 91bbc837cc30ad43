"""How the original listed and filtered."""

from __future__ import annotations

from tests.server.asgi_client import Client
from tests.v1peer.conftest import PeerOf, list_of, made


def names(client: Client, query: str = "") -> list[str]:
    return [item["name"] for item in client.get(f"{list_of('block')}{query}").json()["selected"]]


def test_isnull_zero_means_null_and_only_false_means_not_null(peer_with: PeerOf) -> None:
    ann = peer_with("isnull-zero-means-null").ann
    made(ann, "block", name="one", index=1)
    made(ann, "block", name="none")
    assert names(ann, "?index__isnull=0") == ["none"]
    assert names(ann, "?index__isnull=anything") == ["none"]
    assert names(ann, "?index__isnull=False") == ["one"]


def test_no_ordering_is_refused_by_name(peer_with: PeerOf) -> None:
    ann = peer_with("no-ordering").ann
    answer = ann.get(f"{list_of('block')}?order_by=name")
    assert (answer.status_code, answer.json()) == (400, {"error": "The 'name' field does not allow ordering."})
    answer = ann.get(f"{list_of('block')}?sort_by=colour")
    assert answer.json() == {"error": "No matching 'colour' field for ordering on."}


def test_heap_order_moves_a_changed_object_to_the_end(peer_with: PeerOf) -> None:
    ann = peer_with("heap-order").ann
    blocks = [made(ann, "block", name=name) for name in "abc"]
    assert names(ann) == ["a", "b", "c"]
    ann.put(blocks[0]["location"], json={"index": 1})
    assert names(ann) == ["b", "c", "a"]
    # Whoever reads pages misses one and sees another twice.
    seen = names(ann, "?limit=1")
    ann.put(blocks[1]["location"], json={"index": 1})
    assert seen + names(ann, "?limit=2&offset=1") == ["b", "a", "b"]


def test_numbers_compared_bare_ignores_units(peer_with: PeerOf) -> None:
    ann = peer_with("numbers-compared-bare").ann
    made(ann, "event", name="slow", time=2, time__unit="s")
    made(ann, "event", name="quick", time=5, time__unit="ms")
    found = ann.get(f"{list_of('event')}?time__gt=4").json()
    assert [item["name"] for item in found["selected"]] == ["quick"]
    assert found["meta"]["total_count"] == 1


def test_owner_by_number_fails_on_names(peer_with: PeerOf) -> None:
    ann = peer_with("owner-by-number").ann
    made(ann, "block", name="b")
    number = ann.get("/api/v1/user/user/ann/").json()["id"]
    assert names(ann, f"?owner={number}") == ["b"]
    assert names(ann, "?owner__username=ann") == ["b"]
    assert ann.get(f"{list_of('block')}?owner=ann").status_code == 400
    assert ann.get(f"{list_of('block')}?owner__icontains=an").status_code == 500


def test_file_filters_useless_finds_data_everywhere_and_sizes_nowhere(peer_with: PeerOf) -> None:
    ann = peer_with("file-filters-useless").ann
    made(ann, "analogsignal", name="without data")
    found = {
        query: ann.get(f"{list_of('analogsignal')}?{query}").json()["meta"]["total_count"]
        for query in ("signal__isnull=true", "signal__isnull=false", "data_size__isnull=true")
    }
    assert list(found.values()) == [0, 1, 1]
