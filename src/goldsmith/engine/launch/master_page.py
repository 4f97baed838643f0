"""Reads from a standalone master's page why an application has no executor."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from goldsmith.http import HttpSession, NoResponse

_SECONDS = 3
_PORT = "8080"


def waiting_reason(master: str, application: str, requested: str) -> str:
    """The reason why an application has no executor: one is starting, or its resources are not free.

    master: `spark://host:port,host:port`. requested: the resources in words. The page may not be reachable.
    """
    for address in master.removeprefix("spark://").split(","):
        host = address.rpartition(":")[0]
        try:
            port = os.environ.get("SPARK_MASTER_WEBUI_PORT") or _PORT
            page = HttpSession(_SECONDS).send("GET", f"http://{host}:{port}/json/").json()
        except (NoResponse, ValueError):
            continue
        if page.get("status") == "ALIVE":
            return _reason(page, application, requested)
    return f"an executor is starting, or {requested} are not free (the master's page does not respond)"


def _reason(page: Mapping[str, Any], application: str, requested: str) -> str:
    active = page.get("activeapps") or []
    own: Mapping[str, Any] = next((each for each in active if each.get("id") == application), {})
    if own.get("state") == "RUNNING" or own.get("cores"):
        return f"the master granted {own.get('cores') or 'its'} cores, and the executor is starting"
    alive = [worker for worker in page.get("workers") or [] if worker.get("state") == "ALIVE"]
    if not alive:
        return f"it needs {requested}, and the master has no worker"
    free = ", ".join(
        f"{worker.get('coresfree')} cores and {worker.get('memoryfree')} MB on {worker.get('host')}"
        for worker in alive
    )
    others = [str(each.get("name")) for each in active if each.get("id") != application]
    used = f"; {', '.join(others)} use the others" if others else ""
    return f"it needs {requested}; free are {free}{used}"
