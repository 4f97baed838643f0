"""Limits the requests for chart data and queries, so that pages, log-ins and /health respond.

A request above the limit is refused before it costs anything. The page of a dashboard repeats it (web/moment.js).
"""

from __future__ import annotations

import re
from http import HTTPStatus
from threading import BoundedSemaphore
from typing import Any

from flask import Response, g, jsonify, request

from goldsmith_superset.page_versions import DATA
from goldsmith_superset.query_queue import threads

_QUERIES = re.compile(rf"{DATA.pattern}|^/api/v1/sqllab/execute/")
PAGES = 4
"""Threads reserved for pages, log-ins and /health. Charts from the cache have the others of those without queries."""
MESSAGE = "The lakehouse is busy: too many charts are loading. Try again in a minute."


def busy(message: str = MESSAGE) -> Exception:
    """Superset's error for a request that the page repeats."""
    from superset.errors import ErrorLevel, SupersetError, SupersetErrorType
    from superset.exceptions import SupersetErrorException

    error = SupersetError(message, SupersetErrorType.BACKEND_TIMEOUT_ERROR, ErrorLevel.ERROR)
    return SupersetErrorException(error, status=HTTPStatus.SERVICE_UNAVAILABLE)


def install(app: Any) -> None:
    """Counts these requests of an application. Refuses those above the limit with status 503."""
    places = BoundedSemaphore(max(1, threads() - PAGES))

    def enter() -> tuple[Response, int] | None:
        if not _QUERIES.match(request.path):
            return None
        g.lakehouse_entered = places.acquire(blocking=False)
        if g.lakehouse_entered:
            return None
        error = {"message": MESSAGE, "error_type": "BACKEND_TIMEOUT_ERROR", "level": "error", "extra": {}}
        return jsonify(message=MESSAGE, errors=[error]), HTTPStatus.SERVICE_UNAVAILABLE

    # Before all others, which load the user and cost more than the refusal.
    app.before_request_funcs.setdefault(None, []).insert(0, enter)

    @app.teardown_request  # type: ignore[untyped-decorator]
    def leave(_: BaseException | None) -> None:
        if g.pop("lakehouse_entered", False):
            places.release()
