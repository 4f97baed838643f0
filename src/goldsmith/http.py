"""A small HTTP client for the services' APIs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from http.cookiejar import CookieJar
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPCookieProcessor, build_opener
from urllib.request import Request as _Request

SERVER_ERROR = 500
"""The first status of server errors."""


class Unreachable(Exception):  # noqa: N818 - a state of the network, for which callers raise an error
    """The server did not respond. The message is the reason."""


@dataclass(frozen=True)
class Reply:
    """A response."""

    status: int
    content: bytes

    @property
    def is_error(self) -> bool:
        """True for client and server errors."""
        return self.status >= 400  # noqa: PLR2004 - the first error status

    def json(self) -> Any:
        """The content as JSON. Raises ValueError."""
        return json.loads(self.content)


class Session:
    """Requests that share cookies. timeout: the default time-out in seconds."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._opener = build_opener(HTTPCookieProcessor(CookieJar()))

    def send(
        self,
        method: str,
        url: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        timeout: float | None = None,
    ) -> Reply:
        """Sends a request and returns the response, whatever its status. Raises Unreachable."""
        request = _Request(url, data=body, headers=dict(headers or {}), method=method)
        try:
            with self._opener.open(request, timeout=timeout or self._timeout) as received:
                return Reply(received.status, received.read())
        except HTTPError as error:
            with error:
                return Reply(error.code, error.read())
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise Unreachable(str(reason) or type(error).__name__) from error


def as_json(content: object) -> bytes:
    """The content as a JSON body."""
    return json.dumps(content).encode()
