"""The rules of the house: who may import whom, what loads when, how files are named."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

import gnode_orm

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "gnode_orm"
MODULES = sorted(PACKAGE.rglob("*.py"))
SOURCES = sorted(path for folder in ("gnode_orm", "tests", "benchmarks") for path in (ROOT / folder).rglob("*.py"))

FLOORS = {
    "errors": 0,
    "sentinels": 0,
    "ids": 0,
    "location": 0,
    "units": 0,
    "topology": 0,
    "core": 1,
    "models": 2,
    "wire": 2,
    "stores": 3,
    "convert": 4,
    "files": 5,
    "session": 6,
    "cli": 7,
    "server": 7,
    # For users' own tests: stands on everything that users have.
    "testing": 7,
}
ROOF = max(FLOORS.values()) + 1

HEAVY = {
    "h5py",
    "matplotlib",
    "neo",
    "nixio",
    "odml",
    "pandas",
    "psycopg",
    "pynwb",
    "rich",
    "scipy",
    "sqlalchemy",
    "starlette",
    "typer",
}

VAGUE = re.compile(r"_?(utils?|helpers?|commons?|misc|managers?|tools|stuff)\d*", re.IGNORECASE)


BANNER = re.compile(r"^\s*#+\s*[-=*~#]{2,}|[-=*~#]{4,}\s*$")
LONGEST_FILE = 400
# The public face: most of it says what its methods do.
FACE = "gnode_orm/session/session.py"
LONGEST_FUNCTION = 50
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def floor_of(module: str) -> int:
    parts = module.split(".")
    # What stands at the top, `gnode_orm` itself, gathers names from all floors.
    return ROOF if len(parts) == 1 else FLOORS[parts[1]]


def imported_modules(tree: ast.AST, module: str, *, is_package: bool) -> Iterator[str]:
    """Every module of the package that a syntax tree imports, at the top or inside a function, or by its name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if _ours(alias.name))
        elif isinstance(node, ast.ImportFrom):
            source = _absolute(node, module, is_package=is_package)
            if source == "gnode_orm":
                yield from (_submodule(alias.name) for alias in node.names)
            elif _ours(source):
                yield source
        elif isinstance(node, ast.Call) and _called(node) in {"import_module", "__import__"} and node.args:
            name = node.args[0]
            if isinstance(name, ast.Constant) and _ours(str(name.value)):
                yield str(name.value)


def _ours(name: str) -> bool:
    return name.split(".")[0] == "gnode_orm"


def _submodule(name: str) -> str:
    return f"gnode_orm.{name}" if name in FLOORS else "gnode_orm"


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _absolute(node: ast.ImportFrom, module: str, *, is_package: bool) -> str:
    if node.level == 0:
        return node.module or ""
    parts = module.split(".")
    base = parts[: len(parts) - node.level + is_package]
    return ".".join([*base, node.module] if node.module else base)


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_a_module_imports_from_its_own_floor_or_below(path: Path) -> None:
    module = module_name(path)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    upward = [
        name
        for name in imported_modules(tree, module, is_package=path.name == "__init__.py")
        if floor_of(name) > floor_of(module)
    ]
    assert upward == []


def test_every_part_of_the_package_has_a_floor() -> None:
    parts = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in MODULES} - {"__init__", "__main__"}
    assert parts <= FLOORS.keys()


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import gnode_orm.session.lab", ["gnode_orm.session.lab"]),
        ("def f():\n    from gnode_orm.convert import neo", ["gnode_orm.convert"]),
        ("from gnode_orm import stores", ["gnode_orm.stores"]),
        ("from gnode_orm import Block", ["gnode_orm"]),
        ("from ..session import unit", ["gnode_orm.session"]),
        ("from . import schema", ["gnode_orm.core"]),
        ("importlib.import_module('gnode_orm.convert')", ["gnode_orm.convert"]),
        ("import neo, numpy", []),
    ],
)
def test_the_reader_of_imports_sees_every_way_to_import(source: str, found: list[str]) -> None:
    tree = ast.parse(source)
    assert list(imported_modules(tree, "gnode_orm.core.state", is_package=False)) == found


@pytest.mark.parametrize("statement", ["import gnode_orm", "import gnode_orm.models", "import gnode_orm.session"])
def test_importing_loads_no_heavy_library(statement: str) -> None:
    """Each of them is loaded where it is first used."""
    script = f"{statement}\nimport sys\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    # Isolated mode leaves out the current folder, so that the installed package is what is loaded.
    run = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert "gnode_orm" in loaded
    assert loaded & HEAVY == set()


@pytest.mark.parametrize("name", ["Block", "Location", "Session", "StreamedArray", "create", "validate"])
def test_any_name_of_the_package_may_be_the_first_one_used(name: str) -> None:
    """Nothing relies on what another name has loaded before."""
    script = f"import gnode_orm, sys\nassert 'pydantic' not in sys.modules\nprint(gnode_orm.{name}.__name__)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert run.stdout.split() == [name]


def test_models_and_what_users_test_with_need_no_import_of_their_own() -> None:
    script = "import gnode_orm\nprint(gnode_orm.testing.FaultyStore.__name__, len(gnode_orm.models.MODELS))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert run.stdout.split() == ["FaultyStore", "18"]


def test_no_file_has_a_vague_name() -> None:
    assert [path for path in SOURCES if VAGUE.fullmatch(path.stem.removeprefix("test_"))] == []


def banners(source: str) -> list[str]:
    """Comments that part a file where it should be two."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return [token.string for token in tokens if token.type == tokenize.COMMENT and BANNER.search(token.string)]


def dangling_strings(tree: ast.AST) -> list[str]:
    """Strings that stand alone and document nothing: neither a module, class or function, nor a name before them."""
    found = []
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        for before, statement in pairwise([None, *body] if isinstance(body, list) else ()):
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                first = before is None and isinstance(node, DOCUMENTED)
                if (
                    statement.value.value is not ...
                    and not first
                    and not isinstance(before, ast.Assign | ast.AnnAssign)
                ):
                    found.append(str(statement.value.value))
    return found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("# ---- reading", ["# ---- reading"]),
        ("x = 1  # why", []),
        ("##########", ["##########"]),
        ("# Writing ------", ["# Writing ------"]),
        ("# a -- b, and C--D", []),
        ("text = '# ---- no comment'", []),
    ],
)
def test_the_reader_of_comments_tells_banners_from_reasons(source: str, found: list[str]) -> None:
    assert banners(source) == found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("'a module'\nimport os\n'nothing'", ["nothing"]),
        ("x = 1\n'about x'\nclass A:\n    'about A'\n    y: int\n    'about y'", []),
        ("def f(): ...\n'about nothing'", ["about nothing"]),
        ("if x:\n    'about nothing'", ["about nothing"]),
    ],
)
def test_the_reader_of_strings_tells_those_that_document_nothing(source: str, found: list[str]) -> None:
    assert dangling_strings(ast.parse(source)) == found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_source_has_no_banners_and_no_strings_that_document_nothing(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert banners(source) == []
    assert dangling_strings(ast.parse(source)) == []


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_a_module_says_what_it_is_and_stays_short(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    assert ast.get_docstring(tree)
    assert source.count("\n") <= LONGEST_FILE or path == ROOT / FACE
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert [node.name for node in functions if node.end_lineno - node.lineno >= LONGEST_FUNCTION] == []  # type: ignore[operator]


def test_the_version_is_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(r"^version: (.+)$", citation, re.MULTILINE)[1] == project["version"]  # type: ignore[index]
    assert getattr(gnode_orm, "__version__", project["version"]) == project["version"]
