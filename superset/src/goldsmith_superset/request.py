"""The user of the current request, and whether the browser is still connected."""

from __future__ import annotations

from flask import g, has_request_context, request

from goldsmith_superset.sessions import is_closed


def reader() -> str:
    """The user's name; the remote address if not logged in; empty outside a request."""
    if not has_request_context():
        return ""
    name: str | None = getattr(getattr(g, "user", None), "username", None)
    return name or request.remote_addr or ""


def reader_left() -> bool:
    """Whether the browser has closed its connection. False if the web server does not expose it."""
    if not has_request_context():
        return False
    connection = request.environ.get("gunicorn.socket")
    return connection is not None and is_closed(connection)


def pinned() -> bool:
    """Whether the request's SQL reads its tables at the versions of its page."""
    return has_request_context() and bool(g.get("lakehouse_pinned"))
