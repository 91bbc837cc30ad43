"""The description says what the server does: every operation is tried with generated requests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openapi_spec_validator import validate
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.routing import Route

from gnode_orm.core.schema import SCHEMA
from gnode_orm.server import openapi
from gnode_orm.server.app import create_app
from gnode_orm.stores.local import open_local
from gnode_orm.stores.local.accounts import BEARER
from tests.server.asgi_client import HOST, Client
from tests.server.conftest import PASSWORD

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
DESCRIPTION = schemathesis.openapi.from_dict(openapi.document("1"))
OPERATIONS = [result.ok() for result in DESCRIPTION.get_all_operations()]


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Client, str, dict[str, str]]]:
    """A client, a token, and one object of each kind."""
    store = open_local(":memory:")
    store.accounts.add("ann", PASSWORD)
    token = store.accounts.new_token("ann", BEARER, 86400)
    with Client(create_app(store)) as client:
        headers = {"Authorization": f"Bearer {token}"}
        ids = {
            kind: client.post(f"/api/v1/{spec.namespace}/{kind}/", json={}, headers=headers).json()["id"]
            for kind, spec in SCHEMA.items()
        }
        yield client, token, ids
    store.close()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda item: f"{item.method} {item.path}")
def test_generated_requests_are_answered_as_described(operation: Any, served: Any) -> None:
    client, token, ids = served

    @settings(max_examples=3, suppress_health_check=list(HealthCheck), database=None)
    @given(case=operation.as_strategy(), known=st.booleans())
    def send(case: Any, known: bool) -> None:
        kind = operation.path.split("/")[4] if operation.path.count("/") > 4 else ""
        # An id that was made up is that of no object, so some of the requests name one that there is.
        if known and kind in ids and "id" in (case.path_parameters or {}) and operation.method != "delete":
            case.path_parameters["id"] = ids[kind]
        answer = _send(client, case, token)
        case.validate_response(answer, checks=CHECKS)

    send()


def _send(client: Client, case: Any, token: str) -> Any:
    asked = case.as_transport_kwargs(base_url=HOST)
    headers = {**dict(asked.get("headers") or {}), "Authorization": f"Bearer {token}"}
    options = {key: asked[key] for key in ("params", "json", "data", "files", "cookies") if asked.get(key)}
    options.pop("cookies", None)
    if "files" in options:
        files = dict(options["files"]).items()
        options["files"] = [
            (name, ("file", part if isinstance(part, bytes) else repr(part).encode())) for name, part in files
        ]
    if isinstance(options.get("data"), bytes):
        options["content"] = options.pop("data")
    answer = client.request(asked["method"], asked["url"], headers=headers, **options)
    answer.request.read()
    return answer


def _content(part: Any) -> bytes:
    return part if isinstance(part, bytes) else repr(part).encode()


def test_the_description_is_one_of_openapi_3_1() -> None:
    validate(openapi.document("1"))


def test_every_address_and_method_is_described(served: Any) -> None:
    client, _, _ = served
    described = openapi.document("1")["paths"]
    with closing(open_local(":memory:")) as store:
        routes = {route.path: route for route in create_app(store).routes if isinstance(route, Route)}
    # Access lists are those of blocks and documents alone, and each array is described under its own name.
    plain = {path for path in routes if not re.search(r"/(?:acl|{attr}|{path:path})", path)}
    assert plain <= described.keys()
    undescribed = set()
    for path in plain:
        answer = client.request("OPTIONS", re.sub(r"{[^}]*}", "electrophysiology", path))
        taken = answer.headers.get("allow") or ", ".join(routes[path].methods or ())
        undescribed |= {(method, path) for method in taken.lower().split(", ") if method not in described[path]}
    # What is left only says what else to use.
    refusing = {("get", "/api/v1/in_bulk/"), *(("post", path) for path in plain if path.endswith("/{id}/"))}
    assert {item for item in undescribed if item[0] not in ("options", "head")} == refusing
