"""Corrupts some values of a feed's files deterministically, to demonstrate bad data."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable
from datetime import date
from random import Random

from goldsmith.run.feeding import Deliver

EVERY = 50
"""One of this many rows gets a corrupted value; files with fewer rows stay unchanged."""

_FACTOR = -1000


def spoiled(deliver: Deliver, days: Collection[date]) -> Deliver:
    """A feed whose CSV files of these days have corrupted values. Other files stay unchanged."""

    def deliver_spoiled(day: date) -> Iterable[tuple[str, bytes]]:
        for path, content in deliver(day):
            wanted = day in days and path.lower().endswith(".csv")
            yield path, (spoiled_csv(path, content) if wanted else content)

    return deliver_spoiled


def spoiled_csv(path: str, content: bytes) -> bytes:
    """A CSV file with one corrupted value in every fifty rows: a wrong number or a missing text.

    The path alone determines the rows and columns.
    """
    rows = list(csv.reader(io.StringIO(content.decode("utf-8"), newline="")))
    random = Random(path)
    for at in sorted(random.sample(range(1, len(rows)), (len(rows) - 1) // EVERY)) if rows else ():
        column = random.randrange(len(rows[at])) if rows[at] else None
        if column is not None:
            rows[at][column] = _corrupted(rows[at][column])
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


def _corrupted(value: str) -> str:
    try:
        return f"{_FACTOR * (abs(int(value)) + 1)}"
    except ValueError:
        return ""
