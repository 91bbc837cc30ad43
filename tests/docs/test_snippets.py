"""Every Python and console block of the documentation runs and shows what its page says."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from gnode_orm.files.validation import RULES
from tests.docs.pages import PAGES, Fence, fences, name_of
from tests.docs.shell import run_console
from tests.docs.snippets import PageIsWrong, run

WITH_CODE = [page for page in PAGES if fences(page, "python", "console")]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to be in, and a user without settings."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("GNODE_ORM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.setenv("MPLBACKEND", "agg")
    return tmp_path


@pytest.fixture(autouse=True)
def rules_of_the_package() -> Iterator[None]:
    """Take rules that a page adds away again: they hold for the whole process."""
    kept = {kind: list(rules) for kind, rules in RULES.items()}
    yield
    RULES.clear()
    RULES.update(kept)


@pytest.mark.parametrize("page", WITH_CODE, ids=name_of)
def test_code_runs_and_shows_what_the_page_says(page: Path, folder: Path) -> None:
    namespace: dict[str, object] = {"__name__": "__main__"}
    for fence in fences(page, "python", "console"):
        if fence.language == "console":
            run_console(fence)
        else:
            run(fence, namespace)


def run_text(source: str) -> None:
    run(Fence(Path("page.md"), "python", textwrap.dedent(source), 1), {})


@pytest.mark.parametrize(
    "source",
    [
        "print(1)  # -> 2",
        "1 + 1  # -> 3",
        "print('said nowhere')",
        "print(1)\n# -> 1\n# -> 2",
        "1 / 0",
        "int('x')  # raises KeyError",
        "int('x')  # raises ValueError: another message",
        "int('5')  # raises ValueError",
        "import warnings\nwarnings.warn('a')  # warns UserWarning: b",
        "x = 1  # -> 1",
    ],
)
def test_a_page_that_says_something_else_is_found(source: str) -> None:
    with pytest.raises(PageIsWrong):
        run_text(source)


@pytest.mark.parametrize(
    "source",
    [
        "print(1)  # -> 1",
        "'a' + 'b'\n# -> 'ab'",
        "for i in range(2):\n    print(i)\n# -> 0\n# -> 1",
        "with open('/dev/null'):\n    1 + 1  # -> 2",
        "print('block/2DFA548ESC')  # -> block/...",
        "int('x')  # raises ValueError: invalid literal",
        "import warnings\nwarnings.warn('a')  # warns UserWarning: a",
    ],
)
def test_a_page_that_says_what_happens_passes(source: str) -> None:
    run_text(source)


@pytest.mark.parametrize("body", ["$ echo one\ntwo", "$ false", "$ echo one\n\ntwo\n$ echo three"])
def test_a_console_that_says_something_else_is_found(body: str) -> None:
    with pytest.raises(PageIsWrong):
        run_console(Fence(Path("page.md"), "console", body, 1))


@pytest.mark.parametrize(
    "body", ["$ echo one\none", "$ echo one", "$ echo one && echo 2\none\n...", "$ echo a b c\na ... c"]
)
def test_a_console_that_says_what_happens_passes(body: str) -> None:
    run_console(Fence(Path("page.md"), "console", body, 1))
