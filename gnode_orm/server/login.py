"""Logging in and out: by cookie for browsers and old clients, by bearer token for programs."""

from __future__ import annotations

from starlette.responses import Response

from gnode_orm.errors import ValidationFailed
from gnode_orm.server.context import COOKIE
from gnode_orm.server.endpoints import Call
from gnode_orm.server.objects import json_answer
from gnode_orm.server.pages import login_page
from gnode_orm.server.problems import Refusal
from gnode_orm.stores.local.accounts import BEARER, SESSION

# Checking a password takes 64 MiB and some time on purpose: a crowd of logins must neither take all there is nor keep
# other requests waiting, and its failures must be counted before many more of it are looked at.
SLOTS = 4
_FREE_FAILURES, _FREE_FAILURES_OF_ADDRESS = 5, 100


def authenticate(call: Call) -> Response:
    """Start a session; the cookie is the answer, and a person goes on to the description of the server."""
    # Programs send no Accept, or one that takes everything.
    person = "text/html" in call.request.headers.get("accept", "")
    try:
        name = _checked(call, dict(call.form))
    except Refusal as refusal:
        if not person:
            raise
        return Response(login_page(refusal.detail), refusal.status, refusal.headers, "text/html")
    seconds = call.context.limits.session_seconds
    answer = (
        Response(status_code=303, headers={"Location": f"{call.base}/api/"}) if person else Response(status_code=202)
    )
    answer.set_cookie(
        COOKIE,
        call.context.accounts.new_token(name, SESSION, seconds),
        max_age=seconds,
        path="/",
        secure=call.request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )
    return answer


def new_token(call: Call) -> Response:
    """Make a bearer token from name and password, sent as a form or as JSON."""
    given = call.form
    if not given and call.body:
        body = call.json()
        given = {key: value for key, value in body.items() if isinstance(value, str)} if isinstance(body, dict) else {}
    name = _checked(call, given)
    seconds = call.context.limits.token_seconds
    secret = call.context.accounts.new_token(name, BEARER, seconds)
    return json_answer({"token": secret, "username": name, "expires_in": seconds}, 201, {"Cache-Control": "no-store"})


def end_token(call: Call) -> Response:
    """Make the token that this request carries worthless."""
    kind, _, secret = call.request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer":
        raise ValidationFailed("Send the token that shall end as Authorization: Bearer")
    call.context.accounts.end_token(secret.strip())
    return Response(status_code=204)


def logout(call: Call) -> Response:
    """End the session."""
    cookie = call.request.cookies.get(COOKIE)
    if cookie:
        call.context.accounts.end_token(cookie)
    answer = Response(status_code=302, headers={"Location": f"{call.base}/account/login/"})
    answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")
    return answer


def show_login(call: Call) -> Response:
    """Show the form."""
    return Response(login_page(), media_type="text/html")


def _checked(call: Call, given: dict[str, str]) -> str:
    name, password = given.get("username", ""), given.get("password", "")
    if not name or not password:
        raise _invalid()
    client = call.request.client
    address = client.host if client else "local"
    # One name from one address waits soon, so that nobody can lock others out; a whole address waits later.
    own = f"{address} {name}"
    subjects = {own: _FREE_FAILURES, address: _FREE_FAILURES_OF_ADDRESS}
    accounts = call.context.accounts
    accounts.check_attempts(subjects)
    if not accounts.check_password(name, password):
        accounts.count_failure(subjects)
        raise _invalid()
    accounts.forget_failures(own)
    return name


def _invalid() -> Refusal:
    return Refusal(401, "Invalid credentials", headers={"WWW-Authenticate": "Bearer"})
