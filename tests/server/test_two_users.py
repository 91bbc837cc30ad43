"""Two users in two processes edit one shared block at the same time, over a real server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from gnode_orm import Block, connect
from gnode_orm.stores.local import open_local
from gnode_orm.stores.local.accounts import BEARER
from tests.server.conftest import PASSWORD
from tests.server.test_serving import Served

# Each edits when the first line comes, commits at the second, and settles at the third what is in conflict.
EDITOR = """
import json, sys
from gnode_orm import Segment, Session
from gnode_orm.errors import ConflictError

def told(**what):
    print(json.dumps(what), flush=True)
    sys.stdin.readline()

url, location, user, token = sys.argv[1:]
with Session(url, token=token) as session:
    block = session.get(location)
    told(saw=block.description)
    block.description = f"by {user}"
    block.annotations[user] = "was here"
    Segment(f"of {user}", block=block)
    told(pending=len(session.new) + len(session.dirty))
    try:
        session.commit()
        told(conflicts=[])
    except ConflictError as error:
        found = [[str(c.field), c.base, c.mine, c.theirs, c.user] for c in error.conflicts if c.key is None]
        told(conflicts=found)
        error.resolve(lambda c: f"{c.theirs}, {c.mine}" if c.field == "description" else c.mine)
        session.commit()
    session.expire_all()
    told(description=block.description, annotations=dict(block.annotations), segments=[s.name for s in block.segments])
"""


class Editor:
    """One user at work in a process of his own."""

    def __init__(self, stack: ExitStack, *arguments: str) -> None:
        command = [sys.executable, "-c", EDITOR, *arguments]
        self._process = stack.enter_context(
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        )
        stack.callback(self._process.kill)

    def told(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        found: dict[str, Any] = json.loads(line)
        return found

    def go_on(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[tuple[Served, str, dict[str, str]]]:
    """A served lab with a block of ann's that ben may write."""
    store = open_local(tmp_path / "lab")
    for name in ("ann", "ben"):
        store.accounts.add(name, PASSWORD)
    tokens = {name: store.accounts.new_token(name, BEARER, 3600) for name in ("ann", "ben")}
    store.close()
    served = Served(tmp_path / "lab", workers=2)
    try:
        with connect(served.url, token=tokens["ann"]) as lab, lab.session() as session:
            block = session.add(Block("shared", description="first"))
            session.commit()
            session.share(block, "ben", "write")
            yield served, str(block.location), tokens
    finally:
        served.stop()


def test_the_second_of_two_users_gets_the_conflict_and_settles_it(
    shared: tuple[Served, str, dict[str, str]],
) -> None:
    served, location, tokens = shared
    with ExitStack() as stack:
        ann, ben = (Editor(stack, served.url, location, name, tokens[name]) for name in ("ann", "ben"))
        for user in (ann, ben):
            assert user.told() == {"saw": "first"}
            user.go_on()
        for user in (ann, ben):
            assert user.told() == {"pending": 2}
        ann.go_on()
        assert ann.told() == {"conflicts": []}
        ben.go_on()
        assert ben.told() == {"conflicts": [["description", "first", "by ben", "by ann", "ann"]]}
        ben.go_on()
        ends = ben.told()
    assert ends == {
        "description": "by ann, by ben",
        "annotations": {"ann": "was here", "ben": "was here"},
        "segments": ["of ann", "of ben"],
    }
