"""A client of DQOps' REST API. `endpoints` has the requests.

The client of DQOps' own package is not used: it accepts only the status 200, but the server returns 201.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from goldsmith.errors import DeclarationError, GoldsmithError, NotReady, RunError
from goldsmith.http import SERVER_ERROR, HttpSession, NoResponse, as_json
from goldsmith.publish.dqops.verdict import first_line

OK, CREATED, NO_CONTENT, NOT_FOUND = 200, 201, 204, 404


@dataclass(frozen=True)
class ApiRequest:
    """A request. path: with its query, from the server's root. timeout: in seconds, for slow requests."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    timeout: float | None = None


@dataclass(frozen=True)
class ApiResponse:
    """A response. body: the parsed JSON, else text; None if empty."""

    status: int
    body: Any = None


@dataclass(frozen=True)
class DqopsClient:
    """A DQOps server. url: for this process. console: for browsers. timeout: seconds per request."""

    url: str
    console: str
    timeout: float = 60.0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> DqopsClient:
        """Reads DQOPS_URL (default: http://dqops:8888) and DQOPS_CONSOLE_URL (default: DQOPS_URL).

        Raises DeclarationError GS103 for a URL that is neither http nor https.
        """
        env = os.environ if environment is None else environment
        url = (env.get("DQOPS_URL") or "http://dqops:8888").rstrip("/")
        if not url.startswith(("http://", "https://")):
            raise DeclarationError("GS103", f"DQOPS_URL is `{url}`, but must start with http:// or https://.")
        return cls(url, (env.get("DQOPS_CONSOLE_URL") or url).rstrip("/"))

    def call(self, request: ApiRequest) -> ApiResponse:
        """Sends a request and returns the response, also one with an error status. Raises NotReady GS701 without one."""
        body = None if request.body is None else as_json(request.body)
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        session = HttpSession(request.timeout or self.timeout)
        try:
            reply = session.send(request.method, f"{self.url}{request.path}", body, headers)
        except NoResponse as error:
            raise NotReady(
                "GS701",
                f"DQOps at {self.url} does not respond: {error}.",
                hint="Start it, or set DQOPS_URL to its address. Only its checks need it.",
                retryable=True,
            ) from error
        return ApiResponse(reply.status, _parsed(reply.content))

    def try_call(self, request: ApiRequest) -> ApiResponse | GoldsmithError:
        """Sends a request and returns an error instead of raising it."""
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


def response_error(request: ApiRequest, answer: ApiResponse) -> RunError:
    """The error for an unexpected response. A server error is retryable."""
    body = answer.body
    message = first_line(body.get("message") if isinstance(body, Mapping) else body)
    reason = f": {message}" if message else ", with an empty body"
    return RunError(
        "GS702",
        f"DQOps returned {answer.status} for {request.method} {request.path.split('?')[0]}{reason}",
        hint="See DQOps' log.",
        retryable=answer.status >= SERVER_ERROR or answer.status in (OK, CREATED),
    )
