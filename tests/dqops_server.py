"""A DQOps server that says what a real one said: strict, so that a request nobody recorded fails the test."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

FILE = Path(__file__).parent / "recorded/dqops-1.11.6.json"
DAY = "2026-11-21"
"""The day on which the answers were recorded."""

_KEY = re.compile(r"goldsmith-[\w.-]+")


@dataclass(frozen=True)
class Exchange:
    """A request that must come, and what is answered to it.

    swallowed: it is answered by closing the connection. until: it may come again until this is set.
    """

    method: str
    path: str
    body: Any
    status: int
    answer: Any
    swallowed: bool = False
    until: Event | None = None


def recorded(*names: str) -> list[Exchange]:
    """The exchanges that were recorded under names, in their order; `NAME#2` for the second of a name."""
    known: dict[str, list[Exchange]] = {}
    for item in json.loads(FILE.read_text(encoding="utf-8")):
        request, response = item["request"], item["response"]
        exchange = Exchange(
            request["method"], request["path"], request["body"], response["status"], response["body"]
        )
        known.setdefault(item["name"], []).append(exchange)
    found = []
    for name in names:
        plain, _, at = name.partition("#")
        found.append(known[plain][int(at or 1) - 1])
    return found


def imports(table: str, severity: str = "valid", **counts: int) -> list[Exchange]:
    """The exchanges of an import of verdicts, as those recorded for all checks of a table would be for this one.

    The filter by the check's name is that of the models of DQOps' package; it was not recorded.
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
    """The exchanges of a gate as they were recorded, for another table, so many checks, another result and day."""
    schema, short = table.split(".")
    steps = recorded(*[f"all valid: {step}" for step in ("delete today", "run", "poll", "poll#2")])
    (status,) = recorded("table overview")
    found = []
    for exchange in [*steps, replace(status, path=f"{status.path}?since={DAY}T00:00:00Z")]:
        told = json.dumps([exchange.path, exchange.body, exchange.answer])
        told = (
            told.replace(DAY, day)
            .replace("silver.airlines", table)
            .replace("silver/tables/airlines", f"{schema}/tables/{short}")
        )
        path, body, answer = json.loads(told)
        ran = ((answer.get("parameters") or {}).get("runChecksParameters") or {}).get("run_checks_result")
        if ran:
            ran |= {"executed_checks": checks, "highest_severity": severity}
        found.append(replace(exchange, path=path, body=body, answer=answer))
    return found


@dataclass
class Server:
    """A script of exchanges, each of which must come in its turn."""

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
    """Runs the server; at the end every exchange must have come, and no other."""
    server = Server(list(script))

    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            text = self.rfile.read(length)
            exchange = server.next(self.command, self.path, json.loads(text) if text else None)
            if exchange.swallowed:
                self.close_connection = True
                return
            answer = exchange.answer
            content = b"" if answer is None else json.dumps(answer).encode()
            self.send_response(exchange.status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _handle  # noqa: N815 - the names that http.server calls

        def log_message(self, *_: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=http.serve_forever, daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{http.server_port}"
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
    if server.unexpected or server.script:
        raise AssertionError(f"unexpected: {server.unexpected}; never asked for: {server.script}")
