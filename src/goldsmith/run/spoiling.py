"""A bad day on purpose: a feed's files with some values broken, the same ones each time."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable
from datetime import date
from random import Random

from goldsmith.run.feeding import Deliver

EVERY = 50
"""One row of so many gets one broken value; a file with fewer rows stays whole."""

_FACTOR = -1000


def spoiled(deliver: Deliver, days: Collection[date]) -> Deliver:
    """A feed whose CSV files of these days have broken values. Files of other kinds are delivered as they are."""

    def deliver_spoiled(day: date) -> Iterable[tuple[str, bytes]]:
        for path, content in deliver(day):
            wanted = day in days and path.lower().endswith(".csv")
            yield path, (spoiled_csv(path, content) if wanted else content)

    return deliver_spoiled


def spoiled_csv(path: str, content: bytes) -> bytes:
    """A CSV file with a header, one row in fifty broken at one place: a number is far off, a text is missing.

    Which rows and places follows from the path alone.
    """
    rows = list(csv.reader(io.StringIO(content.decode("utf-8"), newline="")))
    random = Random(path)
    for at in sorted(random.sample(range(1, len(rows)), (len(rows) - 1) // EVERY)) if rows else ():
        place = random.randrange(len(rows[at])) if rows[at] else None
        if place is not None:
            rows[at][place] = _broken(rows[at][place])
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


def _broken(value: str) -> str:
    try:
        return f"{_FACTOR * (abs(int(value)) + 1)}"
    except ValueError:
        return ""
