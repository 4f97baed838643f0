"""Detects charts whose data depends on the current time, although their tables do not change."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

STEP = 600
"""How long the data of such a chart is cached, in seconds."""
SOON = 10
"""The same for a chart whose tables have no known versions, in seconds."""

_CHANGING = re.compile(
    r"\b(?:now|curdate|current_date|current_time|current_timestamp|localtimestamp|unix_timestamp|rand|randn|random|uuid|shuffle)\b",
    re.IGNORECASE,
)
_FIXED = re.compile(r"\s*(?:no filter|[\d\-T:. ]*\s:\s[\d\-T:. ]*)\s*", re.IGNORECASE)
"""A fixed time range: from one date to another."""


def reads_clock(query: Mapping[str, Any], sql: str | None, expressions: Mapping[str, str | None]) -> bool:
    """Whether a query's result depends on the current time.

    query: Superset's query object. sql: of a virtual dataset. expressions: the SQL of names in the query.
    """
    text = json.dumps(query, default=str)
    used = [each for name, each in expressions.items() if each and json.dumps(name) in text]
    texts = [text, sql or "", *used]
    if any(_CHANGING.search(each) for each in texts):
        return True
    spans = [each.get("val") for each in query.get("filter") or () if each.get("op") == "TEMPORAL_RANGE"]
    return any(not _FIXED.fullmatch(str(span)) for span in spans)


def step(seconds: float, length: int) -> int:
    """The number of the time step that contains a time."""
    return int(seconds // length)


def bounds(query: Mapping[str, Any]) -> str:
    """The current bounds of a query's time range, in time steps: `Last week` changes every day."""
    ends = (query.get("from_dttm"), query.get("to_dttm"))
    return "/".join(str(step(end.timestamp(), STEP)) if isinstance(end, datetime) else "" for end in ends)
