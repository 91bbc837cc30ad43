"""Runs a Python block of the documentation and compares what it shows with what the block says it shows.

Three kinds of comment are read:

    ``# -> text``             what the statement prints, or the ``repr`` of its value; one comment for each line of
                              output, behind the statement or on the lines below it; ``...`` stands for any text
    ``# raises Name: text``   the statement raises this error, and its message holds the text
    ``# warns Name: text``    the statement warns

Output that no comment shows is an error, so that a page cannot fall silent about what its code does.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import io
import re
import tokenize
import traceback
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gnode_orm import errors
from tests.docs.pages import Fence

_SHOWN = re.compile(r"#\s*->\s?(?P<text>.*)")
_PROMISED = re.compile(r"#\s*(?P<kind>raises|warns)\s+(?P<name>\w+)(?::\s*(?P<text>.*))?")


class PageIsWrong(AssertionError):
    """A block does something else than its page says."""


@dataclass(frozen=True)
class Promise:
    """An error or a warning that a block announces."""

    kind: str
    name: str
    text: str

    @property
    def category(self) -> type[Any]:
        found = getattr(errors, self.name, None) or getattr(builtins, self.name)
        assert isinstance(found, type)
        return found


def run(fence: Fence, namespace: dict[str, Any]) -> None:
    """Run a block in a namespace, one statement after the other.

    Raises:
        PageIsWrong: it fails, or shows something else than the page.
    """
    shown, promised = _comments(fence.body)
    namespace["__value__"] = _show_value
    for statement, first, last in _statements(fence.body):
        expected = [text for line, text in shown.items() if first <= line <= last]
        promises = [promise for line, promise in promised.items() if first <= line <= last]
        where = f"{name_of_line(fence, statement)}: {ast.unparse(statement).splitlines()[0]}"
        actual = _execute(statement, promises, _ends_shown(fence.body, shown), namespace, where)
        if not fits(actual, expected):
            raise PageIsWrong(f"{where}\nshows\n{listed(actual)}\nbut the page says\n{listed(expected)}")


def name_of_line(fence: Fence, statement: ast.stmt) -> str:
    """The place of a statement in its page."""
    return f"{fence.page.name}:{fence.line + statement.lineno - 1}"


def _comments(source: str) -> tuple[dict[int, str], dict[int, Promise]]:
    shown, promised = {}, {}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        if match := _SHOWN.fullmatch(token.string):
            shown[token.start[0]] = match["text"]
        elif match := _PROMISED.fullmatch(token.string):
            promised[token.start[0]] = Promise(match["kind"], match["name"], match["text"] or "")
    return shown, promised


def _ends_shown(source: str, shown: dict[int, str]) -> set[int]:
    """Lines on which an expression ends whose value is shown, behind it or from the next line on."""
    lines = source.splitlines()
    return {line - 1 if lines[line - 1].lstrip().startswith("#") else line for line in shown}


def _statements(source: str) -> Iterator[tuple[ast.stmt, int, int]]:
    """Each statement with the lines that belong to it: up to the next one."""
    body = ast.parse(source).body
    ends = [following.lineno - 1 for following in body[1:]] + [source.count("\n") + 1]
    for statement, end in zip(body, ends, strict=True):
        yield statement, statement.lineno, end


def _execute(
    statement: ast.stmt, promises: list[Promise], echoed: set[int], namespace: dict[str, Any], where: str
) -> list[str]:
    if len(promises) > 1:
        raise PageIsWrong(f"{where}: a statement raises or warns once")
    promise = promises[0] if promises else None
    tree = ast.Module([_Echo(echoed).visit(statement)], type_ignores=[])
    code = compile(ast.fix_missing_locations(tree), where, "exec")
    output = io.StringIO()
    try:
        with contextlib.redirect_stdout(output), _kept(promise, where):
            exec(code, namespace)
    except PageIsWrong:
        raise
    except Exception:
        raise PageIsWrong(f"{where} fails:\n{traceback.format_exc()}") from None
    return [line.rstrip() for line in output.getvalue().splitlines()]


@contextlib.contextmanager
def _kept(promise: Promise | None, where: str) -> Iterator[None]:
    """See that a promise is kept; without one, nothing is caught."""
    if promise is None:
        yield
    elif promise.kind == "warns":
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield
        texts = [str(item.message) for item in caught if issubclass(item.category, promise.category)]
        _compare(promise, texts, where)
    else:
        try:
            yield
        except promise.category as error:
            if type(error) is not promise.category:
                raise PageIsWrong(f"{where} raises {type(error).__name__}, the page says {promise.name}") from error
            _compare(promise, [str(error)], where)
        else:
            raise PageIsWrong(f"{where} raises nothing, the page says {promise.name}")


def _compare(promise: Promise, texts: list[str], where: str) -> None:
    pattern = _pattern(promise.text)
    if not any(re.search(pattern, text) for text in texts):
        raise PageIsWrong(f"{where} {promise.kind} {texts}, the page says {promise.name}: {promise.text}")


class _Echo(ast.NodeTransformer):
    """Lets an expression show its value, as at a prompt, where the page shows one."""

    def __init__(self, ends: set[int]) -> None:
        self._ends = ends

    def visit_Expr(self, node: ast.Expr) -> ast.Expr:
        if node.end_lineno in self._ends:
            called = ast.Call(ast.Name("__value__", ast.Load()), [node.value], [])
            return ast.copy_location(ast.Expr(ast.copy_location(called, node)), node)
        return node


def _show_value(value: Any) -> None:
    if value is not None:
        print(repr(value))  # noqa: T201


def fits(actual: list[str], expected: list[str]) -> bool:
    """Whether lines are those expected, where ``...`` stands for any text."""
    pattern = _pattern("\n".join(line.rstrip() for line in expected))
    return re.fullmatch(pattern, "\n".join(actual)) is not None


def _pattern(text: str) -> str:
    return "(?s)" + ".*?".join(map(re.escape, text.split("...")))


def listed(lines: list[str]) -> str:
    """Set lines off from a message."""
    return "\n".join(f"    {line}" for line in lines) or "    nothing"
