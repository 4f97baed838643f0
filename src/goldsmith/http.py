"""HTTP as the platform's clients need it: a call, its answer whatever the status, and silence as an error."""

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
"""From this status on the server itself is at fault."""


class Silence(Exception):  # noqa: N818 - a state of the network, which callers put into words
    """Nothing answered. The message is the network's reason."""


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    content: bytes

    @property
    def is_error(self) -> bool:
        """True if the server refused or failed."""
        return self.status >= 400  # noqa: PLR2004 - errors in HTTP

    def json(self) -> Any:
        """The content as JSON. Raises ValueError."""
        return json.loads(self.content)


class Session:
    """Calls that share cookies. timeout: seconds of a call that names none."""

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
        """Sends a call. A status of an error is an answer. Raises Silence."""
        request = _Request(url, data=body, headers=dict(headers or {}), method=method)
        try:
            with self._opener.open(request, timeout=timeout or self._timeout) as received:
                return Reply(received.status, received.read())
        except HTTPError as error:
            with error:
                return Reply(error.code, error.read())
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise Silence(str(reason) or type(error).__name__) from error


def as_json(content: object) -> bytes:
    """A body of JSON."""
    return json.dumps(content).encode()
