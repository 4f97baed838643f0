"""The expected tables of the example `shop`, computed in plain Python from what its market drew.

It is independent of the SQL: prices come from the market's own list of changes, histories from sorting a key's changes,
and clicks of an order from a scan of its user's clicks. Rows are sorted tuples, with the columns in the table's order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from types import ModuleType
from typing import Any

from goldsmith.run.user_code import execute
from support.example import EXAMPLES

WINDOW = timedelta(days=7)
Rows = list[tuple[Any, ...]]


class Shop:
    """The market after its first days, as it is known from the deliveries of these days. days: at least 1."""

    def __init__(self, days: int) -> None:
        self.feed: ModuleType = execute("shop_oracle_feed", EXAMPLES / "shop/pipelines/shop/feed.py")
        self.days = tuple(self.feed.FIRST_DAY + timedelta(number) for number in range(days))
        self.market = self.feed.Market()
        self.events = [event for day in self.days for event in self.market.delivered(day)]

    def of(self, kind: str) -> list[Any]:
        """The delivered events of a class of the feed."""
        return [event for event in self.events if isinstance(event, getattr(self.feed, kind))]

    def users(self) -> Rows:
        """Versions: user_id, email, country, city, valid_from, valid_to."""
        return self._versions(
            self.of("User"), "user_id", lambda e: (e.changed_at, e.seq), "D", ("email", "country", "city")
        )

    def products(self) -> Rows:
        """Versions: product_id, name, category, price, valid_from, valid_to."""
        return self._versions(
            self.of("Product"),
            "product_id",
            lambda e: (e.changed_at, e.position),
            "d",
            ("name", "category", "price"),
        )

    def orders(self) -> dict[int, Any]:
        """The newest state of each order."""
        return {
            order.order_id: order for order in sorted(self.of("Order"), key=lambda order: order.changed_at)
        }

    def payments(self) -> dict[int, Any]:
        """The newest state of each payment."""
        return {payment.payment_id: payment for day in self.days for payment in self.market.day(day).payments}

    def sales(self) -> Rows:
        """order_id, product_id, order_date, status, country, category, quantity, price, amount."""
        countries = _as_of(self.of("User"), "user_id")
        products = _as_of(self.of("Product"), "product_id")
        found = []
        for order in self.orders().values():
            country = countries(order.user_id, order.placed_at).country
            for product_id, quantity in order.items:
                category = products(product_id, order.placed_at).category
                price = self.market.price(product_id, order.placed_at)
                day = order.placed_at.date()
                sold = (day, order.status, country, category, quantity, price, quantity * price)
                found.append((order.order_id, product_id, *sold))
        return sorted(found)

    def daily_revenue(self) -> Rows:
        """order_date, country, category, orders, units, revenue."""
        orders: dict[tuple[date, str, str], set[int]] = defaultdict(set)
        sums: dict[tuple[date, str, str], list[Any]] = defaultdict(lambda: [0, Decimal(0)])
        for order_id, _, day, status, country, category, quantity, _, amount in self.sales():
            if status == "placed":
                group = (day, country, category)
                orders[group].add(order_id)
                sums[group][0] += quantity
                sums[group][1] += amount
        return sorted((*group, len(orders[group]), *found) for group, found in sums.items())

    def attribution(self) -> Rows:
        """order_id, user_id, order_date, first_channel, last_channel, clicks."""
        clicks = defaultdict(list)
        for click in self.of("Click"):
            clicks[click.user_id].append((click.clicked_at, click.click_id, click.channel))
        found = []
        for order in self.orders().values():
            if order.status == "placed":
                at = order.placed_at
                before = sorted(click for click in clicks[order.user_id] if at - WINDOW <= click[0] <= at)
                ends = (before[0][2], before[-1][2]) if before else (None, None)
                found.append((order.order_id, order.user_id, at.date(), *ends, len(before)))
        return sorted(found)

    def funnel(self) -> Rows:
        """day, looked, ordered, paid."""
        steps: dict[date, tuple[set[int], set[int], set[int]]] = defaultdict(lambda: (set(), set(), set()))
        for click in self.of("Click"):
            steps[click.clicked_at.date()][0].add(click.user_id)
        for order in self.orders().values():
            if order.status == "placed":
                steps[order.placed_at.date()][1].add(order.user_id)
        for payment in self.payments().values():
            if payment.status == "paid":
                steps[payment.paid_at.date()][2].add(payment.user_id)
        return sorted(
            (day, len(looked), len(looked & ordered), len(looked & ordered & paid))
            for day, (looked, ordered, paid) in steps.items()
        )

    def lines(self, folder: str) -> int:
        """The number of delivered lines in a folder, without headers."""
        found = 0
        for day in self.days:
            for path, content in self.feed.files(self.market, day):
                if path.startswith(f"{folder}/"):
                    found += content.count(b"\n") - path.endswith(".csv")
        return found

    @staticmethod
    def _versions(changes: Iterable[Any], key: str, order: Any, deleted: str, columns: Sequence[str]) -> Rows:
        histories = defaultdict(list)
        for change in sorted(changes, key=order):
            history = histories[getattr(change, key)]
            if history and history[-1].changed_at == change.changed_at:
                history.pop()
            history.append(change)
        found = []
        for number, history in histories.items():
            version: list[Any] | None = None
            for change in history:
                values = [getattr(change, name) for name in columns]
                if change.op != deleted and version is not None and version[1:-2] == values:
                    continue
                if version is not None:
                    found.append((*version[:-1], change.changed_at))
                version = None if change.op == deleted else [number, *values, change.changed_at, None]
            if version is not None:
                found.append(tuple(version))
        return sorted(found, key=lambda row: (row[0], row[-2]))


def _as_of(changes: Iterable[Any], key: str) -> Any:
    """A function of a key and a moment: the last change of the key until then."""
    histories = defaultdict(list)
    for change in sorted(changes, key=lambda change: change.changed_at):
        histories[getattr(change, key)].append(change)

    def found(number: int, at: datetime) -> Any:
        return [change for change in histories[number] if change.changed_at <= at][-1]

    return found
