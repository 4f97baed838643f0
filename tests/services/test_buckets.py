"""Bronze tables that copy the objects of another bucket."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from goldsmith.engine.s3 import Bucket
from goldsmith.errors import GoldsmithError
from goldsmith.run.sources import mirrors
from services.object_store import ObjectStore
from support.homes import S3Home
from support.lake import Lake

TABLE = "source: {{s3: partner, files: '{files}', format: csv{keys}}}\ncolumns: {{id: int, name: string}}\n"


@dataclass(frozen=True)
class Partner:
    """A bucket of another team. profile: the connection to it, as a part of a profile."""

    bucket: Bucket
    profile: str

    def put(self, path: str, *names: str) -> None:
        """Exports a file with a row for each name."""
        text = "id,name\n" + "".join(f"{number},{name}\n" for number, name in enumerate(names))
        content = text.encode()
        self.bucket.put(f"daily/{path}", gzip.compress(content) if path.endswith(".gz") else content)

    def remove(self, path: str) -> None:
        self.bucket.delete(f"daily/{path}")


@pytest.fixture
def partner(on_s3: None, object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[Partner]:
    monkeypatch.setenv("PARTNER_KEY", object_store.secret_key)
    bucket = Bucket.of("s3a://partner")
    bucket.client.create_bucket(Bucket="partner")
    yield Partner(bucket, connection(object_store))
    for item in list(bucket.listed("")):
        bucket.delete(item["Key"])
    bucket.client.delete_bucket(Bucket="partner")


def connection(store: ObjectStore, url: str = "s3://partner/daily/", endpoint: str | None = None) -> str:
    return (
        f"    connections:\n      partner:\n        url: {url}\n        endpoint: {endpoint or store.endpoint}\n"
        f"        user: {store.access_key}\n        password: ${{PARTNER_KEY}}\n"
    )


@pytest.fixture
def lake(spark: SparkSession, tmp_path: Path, partner: Partner) -> Lake:
    """A lake on a disk with the connection."""
    lake = Lake(spark, tmp_path)
    declare(lake, partner.profile)
    return lake


def declare(lake: Lake, profile: str, files: str = "orders/*", keys: str = "") -> None:
    lake.write("goldsmith.yaml", f"profiles:\n  local:\n{profile}")
    lake.declare("bronze.orders", TABLE.format(files=files, keys=keys))


def names(lake: Lake) -> list[str]:
    return [row[0] for row in lake.rows("bronze.orders", "name")]


def error_of(lake: Lake) -> GoldsmithError:
    error = lake.failed("bronze.orders").error
    assert error is not None
    return error


def test_objects_are_loaded_once_in_each_state(lake: Lake, partner: Partner) -> None:
    assert lake.done()["bronze.orders"].counts.rows_in == 0
    partner.put("orders/a.csv", "ann", "bob")
    partner.put("orders/größe b.csv.gz", "cid")
    for path in ("orders/_SUCCESS", "orders/.hidden.csv", "orders/half.csv.tmp", "other/d.csv"):
        partner.put(path, "nobody")
    assert lake.done()["bronze.orders"].counts.written == 3
    files = {row[0] for row in lake.rows("bronze.orders", "_source_file")}
    assert {path.partition("/orders/")[2] for path in files} == {"a.csv", "größe b.csv.gz"}
    assert lake.done()["bronze.orders"].status == "nothing_new"
    # The same content again is no new state; other content is.
    partner.put("orders/a.csv", "ann", "bob")
    assert lake.done()["bronze.orders"].status == "nothing_new"
    partner.put("orders/a.csv", "ann", "dan")
    partner.remove("orders/größe b.csv.gz")
    assert lake.done()["bronze.orders"].counts.written == 2
    assert names(lake) == ["ann", "ann", "bob", "cid", "dan"]
    before = lake.rows("bronze.orders", "id", "name", "_source_file")
    lake.done(rebuild=["bronze.orders"])
    assert lake.rows("bronze.orders", "id", "name", "_source_file") == before
    assert lake.done()["bronze.orders"].status == "nothing_new"


def test_restored_table_loads_the_objects_that_it_lost(lake: Lake, partner: Partner) -> None:
    for name in ("ann", "bob"):
        partner.put(f"orders/{name}.csv", name)
        lake.done()
    lake.spark.sql(f"RESTORE delta.`{lake.path('bronze.orders')}` TO VERSION AS OF 0").collect()
    assert names(lake) == ["ann"]
    assert lake.done()["bronze.orders"].counts.written == 1
    assert names(lake) == ["ann", "bob"]
    assert lake.done()["bronze.orders"].status == "nothing_new"


def test_replaced_objects_are_ignored_or_fail_if_declared(lake: Lake, partner: Partner) -> None:
    partner.put("orders/a.csv", "ann")
    declare(lake, partner.profile, keys=", on_replaced: ignore")
    lake.done()
    partner.put("orders/a.csv", "eve")
    partner.put("orders/b.csv", "bob")
    assert lake.done()["bronze.orders"].counts.written == 1
    assert names(lake) == ["ann", "bob"]
    declare(lake, partner.profile, keys=", on_replaced: fail")
    error = error_of(lake)
    assert (error.code, error.where.file) == ("GS304", "orders/a.csv")  # type: ignore[union-attr]


def test_object_that_changes_while_it_is_read_commits_nothing(
    lake: Lake, partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    partner.put("orders/a.csv", "ann")
    lake.done()
    partner.put("orders/b.csv", "bob")
    partner.put("orders/c.csv", "cid")
    lister = mirrors.matching

    def replaced_after(*arguments: object) -> object:
        found = lister(*arguments)  # type: ignore[arg-type]
        partner.put("orders/b.csv", "bill")
        return found

    with monkeypatch.context() as patched:
        patched.setattr(mirrors, "matching", replaced_after)
        error = error_of(lake)
    assert (error.code, error.retryable) == ("GS303", True)
    assert lake.done()["bronze.orders"].counts.written == 2
    assert names(lake) == ["ann", "bill", "cid"]
    staged = lake.root / ".goldsmith/landing/_extracts/bronze.orders"
    assert len(list(staged.iterdir())) == 2, "the copies of the failed load are removed"


def test_errors_name_the_connection(
    lake: Lake, partner: Partner, object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    partner.put("orders/a.csv", "ann")
    for profile, found, retryable in (
        (connection(object_store, url="s3://nosuch"), "no bucket `nosuch`", False),
        (
            connection(object_store, endpoint="http://127.0.0.1:9"),
            "http://127.0.0.1:9 cannot be reached",
            True,
        ),
    ):
        declare(lake, profile)
        error = error_of(lake)
        assert (error.code, error.retryable) == ("GS310", retryable), error
        assert "connection `partner`" in error.message
        assert found in error.message
    declare(lake, partner.profile)
    with monkeypatch.context() as patched:
        patched.setenv("PARTNER_KEY", "a-guess")
        error = error_of(lake)
    assert error.code == "GS310"
    assert "denies access to the bucket `partner`" in error.message
    assert "a-guess" not in str(error)
    assert lake.done()["bronze.orders"].counts.written == 1


def test_lake_on_s3_copies_from_another_bucket(
    spark: SparkSession, tmp_path: Path, home: S3Home, partner: Partner
) -> None:
    lake = Lake(spark, tmp_path, home)
    lake.write("goldsmith.yaml", home.declared + partner.profile)
    lake.declare("bronze.orders", TABLE.format(files="**/*.csv", keys=""))
    partner.put("orders/a.csv", "ann")
    partner.put("orders/2026/b.csv", "bob")
    assert lake.done()["bronze.orders"].counts.written == 2
    assert lake.done()["bronze.orders"].status == "nothing_new"
    assert names(lake) == ["ann", "bob"]
