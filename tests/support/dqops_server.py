"""A DQOps server that replays a real one's responses. An unrecorded request fails the test.

Responses are those of a real server, verbatim. The requests were recorded before Goldsmith sent a time scale, a limit
and a key, which change none of these responses: `_current` adds them. `dqops_model.Dqops` is a server that stores
results, for cases beyond these recordings.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

FILE = Path(__file__).parents[1] / "recorded/dqops-1.11.6.json"
DAY = "2026-11-21"
"""The day on which the responses were recorded."""

Reply = tuple[int, Any]
"""A status, and the content to send as JSON; None for no content."""

_KEY = re.compile(r"goldsmith-[\w.-]+")


@dataclass(frozen=True)
class Exchange:
    """An expected request and its response.

    swallowed: the response is a closed connection. until: the request may be repeated until this is set.
    """

    method: str
    path: str
    body: Any
    status: int
    answer: Any
    swallowed: bool = False
    until: Event | None = None


def recorded(*names: str) -> list[Exchange]:
    """The exchanges recorded under these names, in their order; `NAME#2` is the second of a name."""
    known: dict[str, list[Exchange]] = {}
    for item in json.loads(FILE.read_text(encoding="utf-8")):
        request, response = item["request"], item["response"]
        path, body = _current(request["path"], request["body"])
        exchange = Exchange(request["method"], path, body, response["status"], response["body"])
        known.setdefault(item["name"], []).append(exchange)
    found = []
    for name in names:
        plain, _, at = name.partition("#")
        found.append(known[plain][int(at or 1) - 1])
    return found


def _current(path: str, body: Any) -> tuple[str, Any]:
    """Path and body of a recorded request, as Goldsmith sends it now."""
    if path.endswith("/deletestoreddata?wait=true"):
        daily = {"checkType": "monitoring", "timeGradient": "day"}
        return f"{path}&waitTimeout=600&jobBusinessKey=forget", {**body, **daily}
    if path.endswith("/status"):
        path = f"{path}?since={DAY}T00:00:00Z"
    return (f"{path}&checkTimeScale=daily&partitioned=false" if "/status?" in path else path), body


def cancelled(exchange: Exchange) -> Exchange:
    """The exchange that cancels the job of an exchange. The server accepts unknown jobs too."""
    key = re.search(r"(?:jobBusinessKey=|/jobs/jobs/)([\w-]+)", exchange.path)
    assert key is not None
    return Exchange("DELETE", f"/api/jobs/jobs/{key[1]}", None, 204, None)


def incidents(table: str) -> Exchange:
    """The recorded list of incidents, filtered for a table as by the server."""
    (listed,) = recorded("incidents")
    short = table.split(".")[1]
    found = [incident for incident in listed.answer if short in incident["table"]]
    return replace(listed, path=f"{listed.path}?months=12&filter={short}&limit=1000", answer=found)


def imports(table: str, severity: str = "valid", **counts: int) -> list[Exchange]:
    """The exchanges of an import of verdicts, derived from those recorded for all checks of a table.

    The filter by the check's name was not recorded. It comes from the models of DQOps' package.
    """
    check = {"checkName": "daily_import_custom_result_on_table"}
    found = []
    for exchange in recorded(*[f"all valid: {step}" for step in ("delete today", "run", "poll#2")]):
        body, answer = json.loads(json.dumps([exchange.body, exchange.answer]))
        if body and "check_search_filters" in body:
            body["check_search_filters"] |= check | {"fullTableName": table}
        elif body:
            body |= check | {"fullTableName": table}
        else:
            ran = {"executed_checks": 1, "execution_errors": 0, "highest_severity": severity, **counts}
            answer["parameters"]["runChecksParameters"]["run_checks_result"] = ran
        found.append(replace(exchange, body=body, answer=answer))
    return found


def gated(table: str, checks: int, severity: str = "valid", *, day: str = DAY) -> list[Exchange]:
    """The recorded exchanges of a gate, adapted to a table, a number of checks, a result and a day.

    severity: `valid`, or one that stops the gate.
    """
    schema, short = table.split(".")
    steps = recorded(*[f"all valid: {step}" for step in ("delete today", "run", "poll", "poll#2")])
    (status,) = recorded("table overview")
    found = []
    for exchange in [*steps, status]:
        text = json.dumps([exchange.path, exchange.body, exchange.answer])
        text = (
            text.replace(DAY, day)
            .replace("silver.airlines", table)
            .replace("silver/tables/airlines", f"{schema}/tables/{short}")
        )
        path, body, answer = json.loads(text)
        ran = ((answer.get("parameters") or {}).get("runChecksParameters") or {}).get("run_checks_result")
        if ran:
            ran |= {"executed_checks": checks, "highest_severity": severity}
        found.append(replace(exchange, path=path, body=body, answer=answer))
    return [*found, incidents(table)] if severity == "valid" else found


@contextmanager
def listening(answer: Callable[[str, str, Any], Reply | None]) -> Iterator[str]:
    """Runs a server and yields its URL. answer: maps method, path and body to a reply, or None to hang up."""

    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            text = self.rfile.read(length)
            reply = answer(self.command, self.path, json.loads(text) if text else None)
            if reply is None:
                self.close_connection = True
                return
            status, value = reply
            content = b"" if value is None else json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = _handle  # noqa: N815 - the names that http.server calls

        def log_message(self, *_: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    # The interval at which it checks for shutdown.
    thread = Thread(target=http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{http.server_port}"
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


@dataclass
class Server:
    """A script of exchanges, expected in this order."""

    script: list[Exchange]
    unexpected: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    url: str = ""

    def next(self, method: str, path: str, body: Any) -> Exchange:
        self.seen.append(f"{method} {path}")
        if not self.script:
            self.unexpected.append(f"{method} {path} after the end")
            return Exchange(method, path, body, 599, None)
        wanted = self.script[0]
        if wanted.until is None or wanted.until.is_set():
            self.script.pop(0)
        key = re.search(r"(?:jobBusinessKey=|/jobs/jobs/)([\w-]+)", wanted.path)
        ours = _KEY.sub(key[1] if key else "", path)
        if (method, ours, body) != (wanted.method, wanted.path, wanted.body):
            self.unexpected.append(
                f"{method} {ours} {body}, and not {wanted.method} {wanted.path} {wanted.body}"
            )
            return Exchange(method, path, body, 599, None)
        return wanted


@contextmanager
def served(*script: Exchange) -> Iterator[Server]:
    """Runs the server. At the end, exactly the script's exchanges must have occurred."""
    server = Server(list(script))

    def answer(method: str, path: str, body: Any) -> Reply | None:
        exchange = server.next(method, path, body)
        return None if exchange.swallowed else (exchange.status, exchange.answer)

    with listening(answer) as url:
        server.url = url
        yield server
    if server.unexpected or server.script:
        raise AssertionError(f"unexpected: {server.unexpected}; never requested: {server.script}")
