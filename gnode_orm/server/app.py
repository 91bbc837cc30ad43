"""The application: every address and what answers it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from importlib.metadata import version
from typing import Any
from urllib.parse import quote

from anyio import CapacityLimiter
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gnode_orm.core.schema import SCHEMA
from gnode_orm.core.select import Select
from gnode_orm.server import acl, additions, bulk, files, login, objects, openapi, pages, schemas, users
from gnode_orm.server.context import Context, Limits, base_url
from gnode_orm.server.endpoints import Call, Handler, route
from gnode_orm.server.guards import Guards
from gnode_orm.server.problems import Refusal, answer
from gnode_orm.wire.kinds import wire_kind


def create_app(store: Any, limits: Limits | None = None, *, on_close: Callable[[], None] | None = None) -> Starlette:
    """Make the application over a store that keeps accounts; ``on_close`` is called when the server stops."""
    context = Context(store, limits or Limits())

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        if on_close is not None:
            on_close()

    app = Starlette(
        routes=_routes(context),
        middleware=[Middleware(Guards, limits=context.limits)],
        exception_handlers={Exception: _answered, HTTPException: _answered, Refusal: _answered},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    return app


def _routes(context: Context) -> list[Route]:
    # Routes are tried in their order: what is asked most comes first.
    routes = [*additions.routes(context), *_account_routes(context), *_page_routes(context)]
    routes.append(route(context, "/api/v1/in_bulk/", {"POST": bulk.in_bulk, "GET": bulk.only_post}))
    routes += _user_routes(context)
    for kind in SCHEMA:
        routes += _kind_routes(context, kind)
    routes.append(route(context, "/api/v1/{namespace}/", {"GET": schemas.namespace_index}, public=True))
    elsewhere = Route("/{path:path}", _elsewhere)
    elsewhere.methods = None  # any
    return [*routes, elsewhere]


def _account_routes(context: Context) -> list[Route]:
    slots = CapacityLimiter(login.SLOTS)

    def of(path: str, handlers: dict[str, Handler]) -> Route:
        return route(context, path, handlers, public=True, slots=slots)

    return [
        of("/account/authenticate/", {"POST": login.authenticate}),
        of("/account/login/", {"GET": login.show_login}),
        of("/account/logout/", {"GET": login.logout}),
        of("/account/token/", {"POST": login.new_token, "DELETE": login.end_token}),
    ]


def _page_routes(context: Context) -> list[Route]:
    def of(path: str, handler: Handler) -> Route:
        return route(context, path, {"GET": handler}, public=True)

    return [of("/healthz", _health), of("/api/", _page), of("/api/openapi.json", _description)]


def _user_routes(context: Context) -> list[Route]:
    path = "/api/v1/user/user/"
    return [
        route(context, path, {"GET": users.list_users}),
        route(context, f"{path}schema/", {"GET": schemas.user_schema}),
        route(context, f"{path}{{name}}/", {"GET": users.get_user}),
    ]


def _kind_routes(context: Context, kind: str) -> list[Route]:
    base = wire_kind(kind).path

    def of(path: str, handlers: dict[str, Handler]) -> Route:
        return route(context, base + path, {method: _of_kind(kind, item) for method, item in handlers.items()})

    return [
        of("", {
            "GET": objects.list_objects, "POST": objects.create_object, "PUT": objects.put_list,
            "PATCH": objects.patch_list,
        }),
        of("schema/", {"GET": schemas.kind_schema}),
        of("set/{ids}/", {"GET": objects.get_several}),
        of("{id}/", {
            "GET": objects.get_object, "PUT": objects.put_object, "PATCH": objects.patch_object,
            "DELETE": objects.delete_object, "POST": objects.not_here,
        }),
        of("{id}/acl/", {"GET": acl.get_list, "PUT": acl.put_list, "POST": acl.no_posting}),
        of("{id}/{attr}/", {
            "GET": files.download, "POST": files.upload, "PUT": files.not_allowed, "DELETE": files.not_allowed,
        }),
    ]  # fmt: skip


def _of_kind(kind: str, handler: Handler) -> Handler:
    def handle(call: Call) -> Response:
        call.params["kind"] = kind
        return handler(call)

    return handle


def _health(call: Call) -> Response:
    # A read of the lab itself; anybody may ask, so it is on behalf of nobody.
    call.store.count(Select("block"), "")
    return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})


@cache
def _document() -> dict[str, Any]:
    return openapi.document(version("gnode-orm"))


def _description(call: Call) -> Response:
    return JSONResponse(_document())


def _page(call: Call) -> Response:
    return Response(pages.api_page(_document()), media_type="text/html")


async def _elsewhere(request: Request) -> Response:
    """Send an address without its last slash to the one with it; anything else does not exist."""
    path: str = request.scope["path"]
    if path == "/":
        return Response(status_code=301, headers={"Location": f"{base_url(request)}/api/"})
    if path.startswith(("/api", "/account/")) and not path.endswith("/"):
        query = f"?{request.url.query}" if request.url.query else ""
        # Changes must arrive as what they are, so they are redirected with their method.
        status = 301 if request.method in ("GET", "HEAD") else 308
        return Response(status_code=status, headers={"Location": f"{base_url(request)}{quote(path)}/{query}"})
    raise Refusal(404, f"There is nothing at {path[:200]}")


async def _answered(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException):
        error = Refusal(error.status_code, error.detail, headers=error.headers)
    return answer(request, error)
