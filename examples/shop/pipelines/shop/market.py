"""A market that is drawn day by day from a seed: users, products, clicks, checkouts and payments.

`Market.day` is what happens on a day. `Market.delivered` is what can be known from the files of that day.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random

FIRST_DAY = date(2026, 1, 1)
SEED = 20260101

LATE, CANCELLED, REPRICED, WITHDRAWN = 0.03, 0.1, 0.1, 0.01
"""Shares of events, of orders, and of products by day. A late event comes with the files of the next day."""

PLACES = {
    "DE": ("Berlin", "Hamburg"),
    "FR": ("Lyon", "Paris"),
    "IT": ("Milan", "Rome"),
    "PL": ("Gdansk", "Krakow"),
}
CATEGORIES = ("books", "garden", "kitchen", "sports", "toys")
CHANNELS = ("direct", "email", "search", "social")
METHODS = ("card", "invoice", "transfer")


@dataclass(frozen=True)
class User:
    """A change of a user. op: I, U or D."""

    op: str
    seq: int
    user_id: int
    email: str
    country: str
    city: str
    changed_at: datetime


@dataclass(frozen=True)
class Product:
    """A change of a product in the shop's database. op: c, u or d, as Debezium writes it. position: in its log."""

    op: str
    position: int
    product_id: int
    name: str
    category: str
    price: Decimal
    changed_at: datetime


@dataclass(frozen=True)
class Click:
    click_id: str
    user_id: int
    product_id: int
    channel: str
    clicked_at: datetime


@dataclass(frozen=True)
class Order:
    """A state of an order: placed, or cancelled later. items: product and quantity."""

    order_id: int
    user_id: int
    status: str
    placed_at: datetime
    changed_at: datetime
    items: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Payment:
    """The newest state of a payment. revision: grows with each change of the table."""

    payment_id: int
    order_id: int
    user_id: int
    cents: int
    method: str
    status: str
    paid_at: datetime
    revision: int


Event = User | Product | Click | Order


@dataclass(frozen=True)
class Day:
    """What happens on a day, by kind. late: the events that are delivered on the next day."""

    events: tuple[Event, ...]
    late: frozenset[Event]
    payments: tuple[Payment, ...]


@dataclass
class Market:
    """Draws the days from FIRST_DAY on, one after the other; each is drawn once."""

    scale: float = 1.0
    days: list[Day] = field(default_factory=list)
    users: dict[int, User] = field(default_factory=dict)
    prices: dict[int, list[Product]] = field(default_factory=dict)
    orders: list[Order] = field(default_factory=list)
    payments: dict[int, Payment] = field(default_factory=dict)
    counter: int = 0

    def day(self, day: date) -> Day:
        """What happens on a day; nothing before FIRST_DAY."""
        if day < FIRST_DAY:
            return Day((), frozenset(), ())
        while len(self.days) <= (day - FIRST_DAY).days:
            self.days.append(self._next(FIRST_DAY + timedelta(len(self.days))))
        return self.days[(day - FIRST_DAY).days]

    def delivered(self, day: date) -> tuple[Event, ...]:
        """The events in the files of a day: those of the day that are not late, and late ones of the day before."""
        today, before = self.day(day), self.day(day - timedelta(1))
        return (
            *(event for event in before.events if event in before.late),
            *(e for e in today.events if e not in today.late),
        )

    def _next(self, day: date) -> Day:
        random = Random(f"{SEED} {day}")
        changes = [*self._signed_up(random, day), *self._moved(random, day)]
        products = self._products(random, day)
        clicks = self._clicks(random, day)
        orders = self._cancelled(random, day) + self._ordered(random, clicks)
        payments = tuple(self._payment(random, order) for order in orders)
        gone = self._left(random, day)
        # Changes of a place and of a price arrive in time: sales are joined with them when they are loaded.
        emails = self._new_emails(random, day)
        late = {event for event in (*clicks, *orders, *emails) if random.random() < LATE}
        return Day((*changes, *emails, *products, *clicks, *orders, *gone), frozenset(late), payments)

    def _number(self) -> int:
        self.counter += 1
        return self.counter

    def _some(self, usual: float) -> range:
        return range(max(1, round(usual * self.scale)))

    def _signed_up(self, random: Random, day: date) -> list[User]:
        found = []
        for _ in self._some(150 if day == FIRST_DAY else 10):
            number, country = self._number(), random.choice(sorted(PLACES))
            email = f"user{number}@example.com"
            city = random.choice(PLACES[country])
            found.append(User("I", number, number, email, country, city, _at(day, random, 0, 1)))
            self.users[number] = found[-1]
        return found

    def _some_users(self, random: Random, one_of: int) -> list[User]:
        return random.sample([user for _, user in sorted(self.users.items())], len(self.users) // one_of)

    def _moved(self, random: Random, day: date) -> list[User]:
        found = []
        for user in self._some_users(random, 30):
            country = random.choice(sorted(PLACES))
            place = {"country": country, "city": random.choice(PLACES[country])}
            found.append(
                replace(user, op="U", seq=self._number(), changed_at=_at(day, random, 2, 20), **place)
            )
            self.users[user.user_id] = found[-1]
        return found

    def _new_emails(self, random: Random, day: date) -> list[User]:
        found = []
        for user in self._some_users(random, 30):
            seq = self._number()
            at = _at(day, random, 21, 22)
            found.append(
                replace(user, op="U", seq=seq, email=f"user{user.user_id}.{seq}@example.com", changed_at=at)
            )
            self.users[user.user_id] = found[-1]
        return found

    def _left(self, random: Random, day: date) -> list[User]:
        found = []
        for user in self._some_users(random, 100):
            found.append(replace(user, op="D", seq=self._number(), changed_at=_at(day, random, 23, 24)))
            del self.users[user.user_id]
        return found

    def _products(self, random: Random, day: date) -> list[Product]:
        found = []
        for _ in self._some(60 if day == FIRST_DAY else 1):
            number = self._number()
            category = random.choice(CATEGORIES)
            price = Decimal(random.randrange(100, 20_000)) / 100
            at = _at(day, random, 0, 1)
            found.append(Product("c", self._number(), number, f"{category} {number}", category, price, at))
        for _, history in sorted(self.prices.items()):
            last = history[-1]
            if last.op != "d" and random.random() < REPRICED:
                price = (last.price * random.randrange(80, 125) / 100).quantize(Decimal("0.01"))
                at = _at(day, random, 6, 18)
                found.append(replace(last, op="u", position=self._number(), price=price, changed_at=at))
            elif last.op != "d" and random.random() < WITHDRAWN:
                at = _at(day, random, 23, 24)
                found.append(replace(last, op="d", position=self._number(), changed_at=at))
        for product in found:
            self.prices.setdefault(product.product_id, []).append(product)
        return found

    def _clicks(self, random: Random, day: date) -> list[Click]:
        users = sorted(self.users)
        products = [
            number
            for number, history in sorted(self.prices.items())
            if history[-1].op != "d" or history[-1].changed_at >= _start(day)
        ]
        return [
            Click(
                f"c{self._number()}",
                random.choice(users),
                random.choice(products),
                random.choice(CHANNELS),
                at,
            )
            for at in sorted(_at(day, random, 2, 22) for _ in self._some(500))
        ]

    def _ordered(self, random: Random, clicks: Sequence[Click]) -> list[Order]:
        found = []
        for click in random.sample(clicks, len(clicks) // 6):
            at = click.clicked_at + timedelta(seconds=random.randrange(30, 3000))
            others = random.sample(clicks, min(len(clicks), random.randrange(3)))
            items = {each.product_id: random.randrange(1, 4) for each in (click, *others)}
            found.append(Order(self._number(), click.user_id, "placed", at, at, tuple(sorted(items.items()))))
        self.orders += found
        return found

    def _cancelled(self, random: Random, day: date) -> list[Order]:
        """Some of the orders of the day before are cancelled."""
        open_orders, self.orders = self.orders, []
        return [
            replace(order, status="cancelled", changed_at=_at(day, random, 2, 22))
            for order in open_orders
            if random.random() < CANCELLED
        ]

    def _payment(self, random: Random, order: Order) -> Payment:
        if order.status == "cancelled":
            paid = self.payments.pop(order.order_id)
            return replace(paid, status="refunded", revision=self._number())
        total = sum(quantity * self.price(product, order.placed_at) for product, quantity in order.items)
        revision, method = self._number(), random.choice(METHODS)
        made = Payment(
            self._number(),
            order.order_id,
            order.user_id,
            int(total * 100),
            method,
            "paid",
            order.placed_at,
            revision,
        )
        self.payments[order.order_id] = made
        return made

    def price(self, product_id: int, at: datetime) -> Decimal:
        """The price of a product that is valid at a moment."""
        history = self.prices[product_id]
        return history[bisect_right([change.changed_at for change in history], at) - 1].price


def _start(day: date, hour: int = 0) -> datetime:
    return datetime.combine(day, time(), UTC) + timedelta(hours=hour)


def _at(day: date, random: Random, first: int, end: int) -> datetime:
    """A moment of the day between two hours, the second one excluded, to the millisecond."""
    return _start(day, first) + timedelta(milliseconds=random.randrange((end - first) * 3_600_000))
