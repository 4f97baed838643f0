"""The example with an online shop: its tables equal the truth that its market drew."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from goldsmith.run.feeding import deliver_day, feed_of
from goldsmith.run.outcome import TableOutcome
from services.postgres import Postgres
from support.example import Example, nulls_first
from support.shop_oracle import Shop

DAYS = 4
BRONZE = {"users": "users", "product_events": "products", "clicks": "clicks", "checkouts": "checkouts"}
"""The bronze tables of files, and their folders."""


class Loaded(Example):
    """The example, and its outcomes by day and table."""

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        super().__init__(spark, "shop", folder)
        self.outcomes: list[dict[str, TableOutcome]] = []

    def deliver(self, day: date) -> None:
        this = self.begin()
        deliver_day(this.landing, feed_of(this.project.pipelines["shop"]), day)

    def done(self, *names: str, rebuild: frozenset[str] = frozenset()) -> dict[str, TableOutcome]:
        """Runs tables, which must succeed."""
        result = self.run(*names, rebuild=rebuild)
        assert not result.failed, [str(outcome.error) for outcome in result.outcomes if outcome.error]
        return {outcome.table: outcome for outcome in result.outcomes}


@pytest.fixture(scope="module")
def shop() -> Shop:
    return Shop(DAYS)


@pytest.fixture(scope="module")
def loaded(spark: SparkSession, shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """The example after its days, each delivered and loaded before the next one."""
    found = Loaded(spark, tmp_path_factory.mktemp("shop"))
    for day in shop.days:
        found.deliver(day)
        found.outcomes.append(found.done())
    return found


def test_histories_equal_the_truth(loaded: Loaded, shop: Shop) -> None:
    ends = "valid_from valid_to"
    users, products = f"user_id email country city {ends}", f"product_id name category price {ends}"
    assert loaded.rows("silver.users", *users.split()) == nulls_first(shop.users())
    assert loaded.rows("silver.products", *products.split()) == nulls_first(shop.products())
    for name, columns, versions in (
        ("gold.users", "user_id email country city valid_from", shop.users()),
        ("gold.products", "product_id name category price valid_from", shop.products()),
    ):
        assert loaded.rows(name, *columns.split()) == [row[:-1] for row in versions if row[-1] is None]


def test_gold_equals_the_truth(loaded: Loaded, shop: Shop) -> None:
    sales = "order_id product_id order_date status country category quantity price amount"
    assert loaded.rows("gold.sales", *sales.split()) == shop.sales()
    revenue = "order_date country category orders units revenue"
    assert loaded.rows("gold.daily_revenue", *revenue.split()) == shop.daily_revenue()
    attribution = "order_id user_id order_date first_channel last_channel clicks"
    assert loaded.rows("gold.attribution", *attribution.split()) == shop.attribution()
    assert loaded.rows("gold.funnel", "day", "looked", "ordered", "paid") == shop.funnel()
    statuses = {status for _, _, _, status, *_ in shop.sales()}
    assert statuses == {"placed", "cancelled"}


def test_paid_amounts_equal_the_prices_that_were_valid(loaded: Loaded, shop: Shop) -> None:
    paid = dict(loaded.rows("silver.payments", "order_id", "amount"))
    assert len(paid) == len(shop.payments())
    sold = loaded.rows("gold.sales", "order_id", "amount")
    known = {order for order, _ in sold}
    for order in known & set(paid):
        assert paid[order] == sum(amount for each, amount in sold if each == order)


def test_every_delivered_line_is_counted_once(loaded: Loaded, shop: Shop) -> None:
    for name, folder in BRONZE.items():
        counts = [outcomes[f"bronze.{name}"].counts for outcomes in loaded.outcomes]
        assert sum(count.rows_in for count in counts) == shop.lines(folder)
    for outcome in (outcome for outcomes in loaded.outcomes for outcome in outcomes.values()):
        counts = outcome.counts
        outcomes = counts.written + counts.quarantined + counts.dropped + counts.superseded
        assert counts.rows_in == outcomes, outcome.table
    bronze = [outcomes[f"bronze.{name}"].counts for outcomes in loaded.outcomes for name in BRONZE]
    assert sum(count.quarantined for count in bronze) > 0
    others = [
        item.counts for outcomes in loaded.outcomes for item in outcomes.values() if item.table[0] != "b"
    ]
    assert sum(count.quarantined for count in others) == 0


def test_last_day_reads_its_changes_alone(loaded: Loaded, shop: Shop) -> None:
    last = loaded.outcomes[-1]
    lines = len(shop.sales())
    assert last["silver.order_lines"].counts.rows_in < lines / 2
    assert last["gold.sales"].counts.rows_in < lines / 2


def test_rebuild_gives_the_same_rows(loaded: Loaded) -> None:
    tables = {
        "silver.users": "user_id email country city valid_from valid_to",
        "silver.touches": "kind event_id user_id channel happened_at",
        "gold.sales": "order_id product_id order_date status country category quantity price amount",
        "gold.daily_revenue": "order_date country category orders units revenue",
        "gold.attribution": "order_id user_id order_date first_channel last_channel clicks",
        "gold.funnel": "day looked ordered paid",
    }
    before = {name: loaded.rows(name, *columns.split()) for name, columns in tables.items()}
    assert {outcome.status for outcome in loaded.done().values()} == {"nothing_new"}
    loaded.done(rebuild=frozenset({"silver", "gold"}))
    assert {name: loaded.rows(name, *columns.split()) for name, columns in tables.items()} == before


def test_payments_of_postgresql_equal_those_of_sqlite(
    spark: SparkSession, server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", server.password)
    shop, found = Shop(2), Loaded(spark, tmp_path)
    url = f"jdbc:postgresql://127.0.0.1:{server.port}/postgres"
    (found.root / "goldsmith.yaml").write_text(
        "profiles:\n  local:\n    connections:\n"
        f"      shop: {{url: '{url}', user: {server.user}, password: '${{SHOP_PASSWORD}}'}}\n"
    )
    server.sql(
        "CREATE TABLE payments (payment_id bigint PRIMARY KEY, order_id bigint, user_id bigint, cents bigint, "
        "method text, status text, paid_at timestamptz, revision bigint)"
    )
    for day in shop.days:
        found.deliver(day)
        with closing(sqlite3.connect(found.root / ".goldsmith/shop.db")) as database:
            rows = database.execute("SELECT * FROM payments").fetchall()
        values = ", ".join(str(tuple(row)) for row in rows)
        server.sql(
            f"INSERT INTO payments VALUES {values} ON CONFLICT (payment_id) DO UPDATE "
            "SET status = excluded.status, revision = excluded.revision"
        )
        found.done("bronze.payments", "silver.payments")
    columns = "payment_id order_id user_id method status paid_at revision"
    names = columns.split()
    expected = sorted(tuple(getattr(payment, name) for name in names) for payment in shop.payments().values())
    assert found.rows("silver.payments", *names) == expected
    assert {status for *_, status, _, _ in expected} == {"paid", "refunded"}
