"""What a standalone master's page tells of an application: whether it was granted cores, and who holds the others."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from goldsmith.http import HttpSession, NoResponse

_SECONDS = 3
_PORT = "8080"


def waits_for(master: str, application: str, asked: str) -> str:
    """Why an application has no executor yet: one is starting, or what it asks for is not free.

    master: `spark://host:port,host:port`. asked: in words. The page may be out of reach; then it says so.
    """
    for address in master.removeprefix("spark://").split(","):
        host = address.rpartition(":")[0]
        try:
            port = os.environ.get("SPARK_MASTER_WEBUI_PORT") or _PORT
            told = HttpSession(_SECONDS).send("GET", f"http://{host}:{port}/json/").json()
        except (NoResponse, ValueError):
            continue
        if told.get("status") == "ALIVE":
            return _told(told, application, asked)
    return f"an executor is starting, or {asked} are not free (the master's page does not answer)"


def _told(page: Mapping[str, Any], application: str, asked: str) -> str:
    active = page.get("activeapps") or []
    own: Mapping[str, Any] = next((each for each in active if each.get("id") == application), {})
    if own.get("state") == "RUNNING" or own.get("cores"):
        return f"the master granted {own.get('cores') or 'its'} cores, and the executor is starting"
    alive = [worker for worker in page.get("workers") or [] if worker.get("state") == "ALIVE"]
    if not alive:
        return f"it needs {asked}, and the master has no worker"
    free = ", ".join(
        f"{worker.get('coresfree')} cores and {worker.get('memoryfree')} MB on {worker.get('host')}"
        for worker in alive
    )
    others = [str(each.get("name")) for each in active if each.get("id") != application]
    held = f"; {', '.join(others)} hold the others" if others else ""
    return f"it needs {asked}; free are {free}{held}"
