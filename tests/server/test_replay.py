"""Every recorded exchange with the original server is answered as it was, or stands in the table of differences."""

from __future__ import annotations

from pathlib import Path

from gnode_orm.server.app import create_app
from gnode_orm.stores.local import open_local
from tests.server.replaying import PASSWORD, USERS, Replay, compared, exchanges, on_the_day_of_the_recording

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "rest-api-v1.md"


def listed_exchanges() -> dict[tuple[str, int], int]:
    """The status that the page announces for each exchange that differs."""
    listed = {}
    for cells in _rows(4):
        for topic in cells[0].split(";"):
            name, *numbers = topic.split()
            for number in numbers:
                first, _, last = number.partition("-")
                listed.update({(name, n): int(cells[2]) for n in range(int(first), int(last or first) + 1)})
    return listed


def listed_members() -> set[str]:
    return {cells[0].strip("`") for cells in _rows(2)}


def _rows(width: int) -> list[list[str]]:
    lines = [line.strip().strip("|").split("|") for line in PAGE.read_text(encoding="utf-8").splitlines()]
    rows = [[cell.strip() for cell in cells] for cells in lines if len(cells) == width]
    return [cells for cells in rows if not cells[0].startswith(("---", "Exchanges", "Member"))]


@on_the_day_of_the_recording()
def test_every_recorded_exchange_is_answered_as_it_was_or_as_the_page_says(transcripts: Path) -> None:
    store = open_local(":memory:")
    for user in USERS.values():
        store.accounts.add(user, PASSWORD)
    replay = Replay(create_app(store))
    listed, members = listed_exchanges(), listed_members()
    wrong, sent = [], 0
    for file in sorted(transcripts.glob("*.jsonl")):
        for exchange in exchanges(file):
            key = exchange["topic"], exchange["n"]
            if key == ("10_paging_ordering", 9):
                replay.make_up(exchange)
            answer = replay.send(exchange)
            sent += 1
            found = [text for text in compared(replay, exchange, answer) if not members & set(_names(text))]
            if bool(found) != (key in listed) or answer.status_code != listed.get(key, answer.status_code):
                wrong.append((*key, exchange["note"], answer.status_code, found))
    replay.client.close()
    store.close()
    assert wrong == []
    assert sent == 923


def _names(text: str) -> list[str]:
    return text.split(" ")[0].replace("[]", "").split(".")
