"""Which content an object was imported from, as an index knows it.

An import asks for it before it reads a file, in a lab of any size, so this one place inside ``ext`` has an index.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

KEYS = ("import", "sha256")


class ImportedContent(FunctionElement[Any]):
    """The text at ``KEYS`` of a JSON column; null where there is none."""

    name = "imported_content"
    inherit_cache = True


@compiles(ImportedContent, "sqlite")
def _(element: ImportedContent, compiler: Any, **kw: Any) -> str:
    return f"json_extract({compiler.process(element.clauses, **kw)}, '$.import.sha256')"


@compiles(ImportedContent, "postgresql")
def _(element: ImportedContent, compiler: Any, **kw: Any) -> str:
    # jsonb takes no NUL character.
    column = rf"replace({compiler.process(element.clauses, **kw)}, '\u0000', '\uffff')"
    return f"(CAST({column} AS jsonb) #>> '{{import,sha256}}')"
