"""Keeps requests for chart data out of Superset's event log, where each would take three rows and commits."""

from __future__ import annotations

from typing import Any

from flask import has_request_context, request

from goldsmith_superset.page_versions import DATA


def install() -> None:
    """Patches the event log. Log-ins, queries of SQL Lab, changes and opened pages are still recorded."""
    from superset.utils.log import DBEventLogger

    write = DBEventLogger.log

    def log(self: Any, *args: Any, **options: Any) -> None:
        if has_request_context() and DATA.match(request.path):
            return
        write(self, *args, **options)

    DBEventLogger.log = log
