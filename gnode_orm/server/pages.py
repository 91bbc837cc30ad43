"""Pages for people: a list of what the server answers, and the form to log in. Nothing is loaded from elsewhere."""

from __future__ import annotations

from html import escape
from typing import Any

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "h2{margin-top:2rem;border-bottom:1px solid #ccc}code{background:#f3f3f3;padding:0 .2em;overflow-wrap:anywhere}"
    "table{border-collapse:collapse;width:100%}td{padding:.2em .6em;border-top:1px solid #eee;vertical-align:top}"
    "td:first-child code{overflow-wrap:normal}label{display:block;margin:.6em 0}"
)


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body><h1>{escape(title)}</h1>{body}</body></html>"
    )


def login_page(failure: str = "") -> str:
    """The form to log in, and why it did not succeed."""
    said = f'<p role="alert">{escape(failure)}</p>' if failure else ""
    return _page(
        "Log in",
        f"{said}"
        '<form method="post" action="/account/authenticate/">'
        '<label>Name <input name="username" autocomplete="username"></label>'
        '<label>Password <input name="password" type="password" autocomplete="current-password"></label>'
        "<button>Log in</button></form>",
    )


def api_page(document: dict[str, Any]) -> str:
    """Every address of an OpenAPI document, grouped by tag."""
    groups: dict[str, list[str]] = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                row = f"<tr><td><code>{method.upper()}</code></td><td><code>{escape(path)}</code></td>"
                row += f"<td>{escape(operation['summary'])}</td></tr>"
                groups.setdefault(operation["tags"][0], []).append(row)
    tables = "".join(f"<h2>{escape(tag)}</h2><table>{''.join(rows)}</table>" for tag, rows in groups.items())
    info = document["info"]
    intro = f'<p>{escape(info["description"])}</p><p>For programs: <a href="/api/openapi.json">OpenAPI 3.1</a></p>'
    return _page(info["title"], intro + tables)
