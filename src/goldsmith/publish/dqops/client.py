"""DQOps' REST API by plain HTTP: one way to send a request, whichever of `calls` it is.

The client of DQOps' own package is not used: it reads answers with status 200 alone, where the server gives 201.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from goldsmith.errors import DeclarationError, GoldsmithError, NotReady, RunError
from goldsmith.http import SERVER_ERROR, Session, Unreachable, as_json

OK, CREATED, NO_CONTENT, NOT_FOUND = 200, 201, 204, 404


@dataclass(frozen=True)
class Request:
    """One call. path: with its query, from the root of the server. timeout: seconds, where it may take its time."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    timeout: float | None = None


@dataclass(frozen=True)
class Answer:
    """What came back. body: JSON where it is JSON, else text; None where it is empty."""

    status: int
    body: Any = None


@dataclass(frozen=True)
class Client:
    """A DQOps server. url: as this process reaches it. console: as people's browsers do. timeout: seconds a call."""

    url: str
    console: str
    timeout: float = 60.0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Client:
        """By DQOPS_URL (http://dqops:8888) and DQOPS_CONSOLE_URL (the same).

        Raises DeclarationError GS103 for a URL of another kind than http and https.
        """
        env = os.environ if environment is None else environment
        url = (env.get("DQOPS_URL") or "http://dqops:8888").rstrip("/")
        if not url.startswith(("http://", "https://")):
            raise DeclarationError("GS103", f"DQOPS_URL is `{url}`, and must begin with http:// or https://.")
        return cls(url, (env.get("DQOPS_CONSOLE_URL") or url).rstrip("/"))

    def call(self, request: Request) -> Answer:
        """Sends a request. An answer with an error's status is an answer; only silence raises: NotReady GS701."""
        body = None if request.body is None else as_json(request.body)
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        session = Session(request.timeout or self.timeout)
        try:
            reply = session.send(request.method, f"{self.url}{request.path}", body, headers)
        except Unreachable as error:
            raise NotReady(
                "GS701",
                f"DQOps at {self.url} does not answer: {error}.",
                hint="Start it, or set DQOPS_URL to where it is. Everything but its checks works without it.",
                retryable=True,
            ) from error
        return Answer(reply.status, _parsed(reply.content))

    def ask(self, request: Request) -> Answer | GoldsmithError:
        """Sends a request and returns the error instead of raising it."""
        try:
            return self.call(request)
        except GoldsmithError as error:
            return error


def _parsed(content: bytes) -> Any:
    text = content.decode("utf-8", errors="replace")
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def refused(request: Request, answer: Answer) -> RunError:
    """The error for an answer that is not what was asked for. A server's own fault may pass by itself."""
    body = answer.body
    told = body.get("message") if isinstance(body, Mapping) else body
    reason = f": {str(told).splitlines()[0][:300]}" if told else ", with nothing in it"
    return RunError(
        "GS702",
        f"DQOps answers {answer.status} to {request.method} {request.path.split('?')[0]}{reason}",
        hint="Its log says more.",
        retryable=answer.status >= SERVER_ERROR or answer.status in (OK, CREATED),
    )
