"""Pages through an HTTP API with a cursor; waits when the server asks for it, and tries again when it fails.

ORDERS_API is the address of the API. `GET /orders?after=CURSOR` answers with `{"orders": [...], "next": CURSOR}`, where
`next` is null on the last page.
"""

import json
import os
import time
from http import HTTPStatus
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

ATTEMPTS = 6
TIMEOUT = 30.0
RETRYABLE = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}


def orders(*, interval: Any, state: Any, folder: Any) -> Any:
    """Writes a file for each page after the last one that was loaded. The state is the cursor of that page."""
    cursor = state["cursor"] if state else ""
    while True:
        page = request(cursor)
        rows = "".join(json.dumps(order) + "\n" for order in page["orders"])
        if rows:
            (folder / f"after-{cursor or 'start'}.json").write_text(rows)
        if page["next"] is None:
            return {"cursor": page.get("last", cursor) or cursor}
        cursor = page["next"]


def request(cursor: str) -> Any:
    """One page as JSON. Numbers with a fraction stay text, so that no digit is lost."""
    address = f"{os.environ['ORDERS_API']}/orders?{urlencode({'after': cursor})}"
    for attempt in range(1, ATTEMPTS + 1):
        pause = 0.1 * 2**attempt
        try:
            with urlopen(Request(address, headers={"Accept": "application/json"}), timeout=TIMEOUT) as answer:
                text = answer.read().decode()
            break
        except HTTPError as error:
            if error.code not in RETRYABLE and error.code < HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
            if attempt == ATTEMPTS:
                raise
            pause = float(error.headers.get("Retry-After") or pause)
        except (URLError, ConnectionError, TimeoutError):
            if attempt == ATTEMPTS:
                raise
        time.sleep(pause)
    try:
        page = json.loads(text, parse_float=str)
    except json.JSONDecodeError as error:
        raise ValueError(f"{address} did not answer with JSON: {text[:80]!r}") from error
    if not isinstance(page, dict) or not {"orders", "next"} <= page.keys():
        raise ValueError(f"{address} answered without orders: {text[:80]!r}")
    return page
