"""Delivers what happens on a market as a shop's systems do: with duplicates, late and cut lines in known proportions.

The table `payments` of a SQLite database is updated as well. Environment variables: SHOP_SCALE multiplies the number of
events (default 1); SHOP_DB is the SQLite file, relative to the project, by default `.goldsmith/shop.db`.
"""

from __future__ import annotations

import csv
import io
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, astuple
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from random import Random

from market import FIRST_DAY, SEED, Click, Market, Order, Payment, Product, User

DUPLICATED, MALFORMED, UNKNOWN_OPERATION = 0.03, 0.01, 0.01
"""Shares of lines, and of changes of users."""


@lru_cache(maxsize=1)
def market(scale: float) -> Market:
    """The market of this process."""
    return Market(scale)


def deliver(day: date) -> Iterator[tuple[str, bytes]]:
    """The files of a day: path under the landing root, content. The same day gives the same bytes.

    The payments of the day are written into the database. There are no files before FIRST_DAY.
    """
    if day >= FIRST_DAY:
        drawn = market(float(os.environ.get("SHOP_SCALE") or 1))
        pay(drawn.day(day).payments)
        yield from files(drawn, day)


def files(drawn: Market, day: date) -> Iterator[tuple[str, bytes]]:
    """A flat feed of changes in `users/`, Debezium's events in `products/`, events in `clicks/` and `checkouts/`."""
    events = drawn.delivered(day)
    random = Random(f"{SEED} files {day}")
    users = [_csv(_user_row(event)) for event in events if isinstance(event, User)]
    unknown = ["X" + line[1:] for line in users if random.random() < UNKNOWN_OPERATION]
    header = ",".join(User.__dataclass_fields__)
    yield f"users/{day}.csv", _file([header, *_disordered([*users, *unknown], random)])
    for name, kind, encoded in (
        ("products", Product, debezium),
        ("clicks", Click, _json),
        ("checkouts", Order, _json),
    ):
        lines = [encoded(event) for event in events if isinstance(event, kind)]
        yield f"{name}/{day}.jsonl", _file(_disordered(lines, random))


def _disordered(lines: Iterable[str], random: Random) -> list[str]:
    """The lines in any order, some of them twice, and cut copies of some."""
    delivered = []
    for line in lines:
        delivered += [line] * (2 if random.random() < DUPLICATED else 1)
        if random.random() < MALFORMED:
            delivered.append(line[: random.randrange(1, len(line) // 2)])
    random.shuffle(delivered)
    return delivered


def _file(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _user_row(user: User) -> list[object]:
    known = (
        astuple(user) if user.op != "D" else (user.op, user.seq, user.user_id, "", "", "", user.changed_at)
    )
    return [_text(value) for value in known]


def _csv(row: Sequence[object]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(row)
    return out.getvalue()


def _json(event: Click | Order) -> str:
    row = {name: _text(value) for name, value in asdict(event).items()}
    if isinstance(event, Order):
        row["items"] = [{"product_id": product, "quantity": quantity} for product, quantity in event.items]
    return json.dumps(row)


def debezium(product: Product) -> str:
    """The event that Debezium's connector of PostgreSQL writes."""
    row = {
        "product_id": product.product_id,
        "name": product.name,
        "category": product.category,
        "price": str(product.price),
    }
    milliseconds = round(product.changed_at.timestamp() * 1000)
    return json.dumps(
        {
            "before": None if product.op == "c" else row,
            "after": None if product.op == "d" else row,
            "source": {
                "connector": "postgresql",
                "ts_ms": milliseconds,
                "lsn": product.position,
                "table": "products",
            },
            "op": product.op,
            "ts_ms": milliseconds,
        }
    )


def _text(value: object) -> object:
    return value.isoformat(sep=" ", timespec="milliseconds") if isinstance(value, datetime) else value


def pay(payments: Iterable[Payment]) -> None:
    """Inserts or updates payments, unless the database has a newer state."""
    file = Path(__file__).parents[2] / (os.environ.get("SHOP_DB") or ".goldsmith/shop.db")
    file.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(
            "CREATE TABLE IF NOT EXISTS payments (payment_id INTEGER PRIMARY KEY, order_id INTEGER, user_id INTEGER, "
            "cents INTEGER, method TEXT, status TEXT, paid_at TEXT, revision INTEGER)"
        )
        database.executemany(
            "INSERT INTO payments VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (payment_id) DO UPDATE "
            "SET status = excluded.status, revision = excluded.revision WHERE excluded.revision > revision",
            [[_text(value) for value in astuple(payment)] for payment in payments],
        )
