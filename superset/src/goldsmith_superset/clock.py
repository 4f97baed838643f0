"""Which charts show something else although their tables stay the same: those that ask what time it is."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

STEP = 600
"""Seconds for which the data of such a chart is kept."""
SOON = 10
"""The same for a chart whose tables have no versions: views, and a server that does not tell."""

_CHANGING = re.compile(
    r"\b(?:now|curdate|current_date|current_time|current_timestamp|localtimestamp|unix_timestamp|rand|randn|random|uuid|shuffle)\b",
    re.IGNORECASE,
)
_FIXED = re.compile(r"\s*(?:no filter|[\d\-T:. ]*\s:\s[\d\-T:. ]*)\s*", re.IGNORECASE)
"""A span of time that is the same tomorrow: from one date to another."""


def reads_clock(query: Mapping[str, Any], sql: str | None, expressions: Mapping[str, str | None]) -> bool:
    """Whether a query's answer depends on when it is asked.

    query: Superset's query object. sql: of a dataset that is a query. expressions: the SQL behind names in the query.
    """
    asked = json.dumps(query, default=str)
    used = [each for name, each in expressions.items() if each and json.dumps(name) in asked]
    texts = [asked, sql or "", *used]
    if any(_CHANGING.search(text) for text in texts):
        return True
    spans = [each.get("val") for each in query.get("filter") or () if each.get("op") == "TEMPORAL_RANGE"]
    return any(not _FIXED.fullmatch(str(span)) for span in spans)


def step(seconds: float, length: int) -> int:
    """The number of the step of time in which a moment is."""
    return int(seconds // length)


def bounds(query: Mapping[str, Any]) -> str:
    """The span of time that a query's range means now, in steps: `Last week` is another one tomorrow."""
    ends = (query.get("from_dttm"), query.get("to_dttm"))
    return "/".join(str(step(end.timestamp(), STEP)) if isinstance(end, datetime) else "" for end in ends)
