"""Runs killed at a given step, and the recovery by the next run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from goldsmith.engine.delta.quarantine import QuarantineTable
from goldsmith.run import attempt, runner, table_loading
from goldsmith.run import release as releasing
from goldsmith.run.context import Run
from goldsmith.run.loads import base
from goldsmith.run.slices import NeedsFullLoad
from support.lake import Lake

RULE = """
source: {files: orders/*.csv, format: csv}
columns: {id: int, amount: int}
expectations:
  - expect_column_values_to_be_between: {column: amount, max_value: %s}
    otherwise: quarantine
"""


class Killed(BaseException):
    """Ends a run like a kill: no handler catches it."""


@contextmanager
def killed_at(owner: object, name: str) -> Iterator[None]:
    """The body is killed when it calls `name` of a module or class."""

    def kill(*_: object, **__: object) -> None:
        raise Killed

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(owner, name, kill)
        with pytest.raises(Killed):
            yield


def test_run_killed_before_the_commit_leaves_no_quarantined_row(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.declare("bronze.orders", RULE % 5)
    lake.deliver("orders/a.csv", "id,amount\n1,1\n2,9\n")
    with killed_at(attempt, "write"):
        lake.run()
    assert lake.version("bronze.orders") == -1
    lake.done()
    assert lake.rows("bronze.orders", "id") == [(1,)]
    assert [row["id"] for _, row in lake.quarantine("bronze.orders")] == [2]


def test_attempt_that_needs_a_full_load_leaves_no_quarantined_row(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next attempt has the same run id and counter. Without a lock, its entries would otherwise be pending."""
    monkeypatch.setattr(Run, "lockless", True)
    lake.declare("bronze.orders", RULE % 5)
    lake.deliver("orders/a.csv", "id,amount\n1,1\n2,9\n")
    inner, calls = attempt.write, []

    def write(*arguments: Any) -> Any:
        calls.append(True)
        if len(calls) == 1:
            raise NeedsFullLoad("a test")
        return inner(*arguments)

    monkeypatch.setattr(attempt, "write", write)
    lake.done()
    assert [row["id"] for _, row in lake.quarantine("bronze.orders")] == [2]


def test_release_killed_after_its_commit_duplicates_no_row(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.declare("bronze.orders", RULE % 5)
    lake.deliver("orders/a.csv", "id,amount\n1,1\n2,9\n3,50\n")
    lake.done()
    lake.declare("bronze.orders", RULE % 10)
    with killed_at(releasing, "commit_status"):
        lake.release("bronze.orders")
    assert lake.rows("bronze.orders", "id") == [(1,), (2,)]
    assert lake.idle() is None, "the next run removes released rows from the quarantine"
    lake.done()
    assert lake.idle() is not None
    assert [row["id"] for _, row in lake.quarantine("bronze.orders")] == [3]
    assert lake.release("bronze.orders").released == 0
    assert lake.rows("bronze.orders", "id") == [(1,), (2,)]


def test_release_recovers_a_killed_release(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    lake.declare("bronze.orders", RULE % 5)
    lake.deliver("orders/a.csv", "id,amount\n1,1\n2,9\n")
    lake.done()
    lake.declare("bronze.orders", RULE % 10)
    with killed_at(releasing, "commit_status"):
        lake.release("bronze.orders")
    assert lake.release("bronze.orders").released == 0
    assert lake.rows("bronze.orders", "id") == [(1,), (2,)]
    assert lake.quarantine("bronze.orders") == []


STEPS = (
    (releasing, "judged_slice"),
    (QuarantineTable, "mark"),
    (releasing, "write"),
    (QuarantineTable, "reconcile"),
)
"""Steps at which a release is killed: before reading, before marking, before and after its commit."""


def test_release_killed_at_any_step_loses_and_duplicates_no_row(lake: Lake) -> None:
    lake.declare("bronze.orders", RULE % 5)
    lake.deliver("orders/a.csv", "id,amount\n1,1\n2,6\n3,7\n4,8\n5,9\n")
    lake.done()
    for number, (owner, name) in enumerate(STEPS):
        released = [(id_,) for id_ in range(1, number + 3)]
        lake.declare("bronze.orders", RULE % (6 + number))
        with killed_at(owner, name) if name != "reconcile" else killed_at_second_call(owner, name):
            lake.release("bronze.orders")
        committed = lake.rows("bronze.orders", "id")
        assert committed == (released if name == "reconcile" else released[:-1]), name
        lake.done()
        quarantined = [(row["id"],) for _, row in lake.quarantine("bronze.orders")]
        assert sorted(committed + quarantined) == [(1,), (2,), (3,), (4,), (5,)], name
        assert lake.release("bronze.orders").released == (0 if name == "reconcile" else 1), name
        assert lake.rows("bronze.orders", "id") == released, name


@contextmanager
def killed_at_second_call(owner: object, name: str) -> Iterator[None]:
    """The body is killed when it calls `name` for the second time."""
    inner, calls = getattr(owner, name), []

    def kill(*arguments: Any, **named: Any) -> Any:
        calls.append(True)
        if len(calls) == 2:
            raise Killed
        return inner(*arguments, **named)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(owner, name, kill)
        with pytest.raises(Killed):
            yield


def test_concurrent_load_and_release_are_each_applied_once(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a lock, as on S3: the second commits between the plan and the commit of the first."""
    monkeypatch.setattr(Run, "lockless", True)
    lake.declare("bronze.orders", RULE % 5)
    lake.deliver("orders/a.csv", "id,amount\n1,1\n2,6\n3,7\n4,8\n")
    lake.done()
    interleaved: list[str] = []

    def load() -> None:
        run = lake.begin()
        assert table_loading.load_table(
            lake.spark.newSession(), run, run.project.tables["bronze.orders"]
        ).commits

    def release() -> None:
        run = lake.begin()
        table = run.project.tables["bronze.orders"]
        done = releasing._release(lake.spark.newSession(), run, table, None)
        assert done is not None
        assert done.released == 1

    def interleave(owner: object, other: Callable[[], None]) -> Callable[..., Any]:
        inner = owner.write  # type: ignore[attr-defined]

        def write(*arguments: Any) -> Any:
            if other.__name__ not in interleaved:
                interleaved.append(other.__name__)
                other()
            return inner(*arguments)

        return write

    lake.declare("bronze.orders", RULE % 6)
    lake.deliver("orders/b.csv", "id,amount\n5,2\n6,8\n")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(releasing, "write", interleave(releasing, load))
        assert lake.release("bronze.orders").released == 1
    assert lake.rows("bronze.orders", "id") == [(1,), (2,), (5,)]
    lake.declare("bronze.orders", RULE % 7)
    lake.deliver("orders/c.csv", "id,amount\n7,3\n8,9\n")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(attempt, "write", interleave(attempt, release))
        assert lake.done()["bronze.orders"].counts.balanced
    assert interleaved == ["load", "release"]
    assert lake.rows("bronze.orders", "id") == [(1,), (2,), (3,), (5,), (7,)]
    assert sorted(row["id"] for _, row in lake.quarantine("bronze.orders")) == [4, 6, 8]


def test_records_missing_after_a_kill_are_restored(lake: Lake) -> None:
    lake.declare("bronze.orders", RULE % 5)
    lake.deliver("orders/a.csv", "id,amount\n1,1\n")
    with killed_at(runner, "record"):
        lake.run()
    assert lake.version("bronze.orders") == 0
    result = lake.run()
    assert [outcome.status for outcome in result.outcomes] == ["nothing_new"]
    assert result.restored == 1
    recorded = lake.table("ops.table_runs").collect()
    assert [(row["table"], row["written"], row["status"]) for row in recorded] == [
        ("bronze.orders", 1, "done")
    ]
    assert lake.rows("ops.files", "path") == [("orders/a.csv",)]
    assert lake.run().restored == 0
    lake.deliver("orders/b.csv", "id,amount\n2,2\n")
    lake.done()
    assert len(lake.rows("ops.files", "path")) == 2


def test_loads_without_files_and_expectations_are_not_restored(lake: Lake) -> None:
    """A rebuild of gold commits nothing to ops.files and ops.expectations."""
    lake.declare("bronze.orders", RULE % 5)
    lake.declare("gold.totals", "load: overwrite", "SELECT sum(amount) AS amount FROM bronze.orders")
    lake.deliver("orders/a.csv", "id,amount\n1,1\n")
    lake.done()
    lake.done(rebuild=["gold.totals"])
    lake.deliver("orders/b.csv", "id,amount\n2,2\n")
    assert lake.run().restored == 0


def test_recreated_table_has_only_its_own_file_ledger(lake: Lake) -> None:
    lake.declare("bronze.orders", RULE % 5)
    for name in ("a", "b"):
        lake.deliver(f"orders/{name}.csv", "id,amount\n1,1\n")
        lake.done()
    lake.remove("bronze.orders")
    assert lake.done()["bronze.orders"].counts.written == 2
    lake.deliver("orders/c.csv", "id,amount\n2,2\n")
    assert lake.done()["bronze.orders"].counts.written == 1
    assert lake.done()["bronze.orders"].status == "nothing_new"
    assert lake.rows("bronze.orders", "id") == [(1,), (1,), (2,)]


def test_clustered_table_killed_after_creation_is_loaded(lake: Lake) -> None:
    lake.declare("bronze.orders", RULE % 5 + "cluster_by: id\n")
    lake.deliver("orders/a.csv", "id,amount\n1,1\n")
    with killed_at(base, "overwrite"):
        lake.run()
    assert lake.version("bronze.orders") == 0
    lake.done()
    assert lake.rows("bronze.orders", "id") == [(1,)]
    detail = lake.spark.sql(f"DESCRIBE DETAIL delta.`{lake.path('bronze.orders')}`").collect()[0]
    assert detail["clusteringColumns"] == ["id"]


def test_load_that_loses_a_race_plans_again(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs plan from the same counter: the commit of the second conflicts, and it plans again."""
    lake.declare("bronze.orders", RULE % 5)
    lake.deliver("orders/a.csv", "id,amount\n1,1\n2,9\n")
    lake.done()
    lake.deliver("orders/b.csv", "id,amount\n3,1\n4,9\n")
    inner, raced = attempt.write, []

    def write(*arguments: Any) -> Any:
        if not raced:
            raced.append(True)
            session, run = lake.spark.newSession(), lake.begin()
            assert table_loading.load_table(session, run, run.project.tables["bronze.orders"]).commits
        return inner(*arguments)

    monkeypatch.setattr(attempt, "write", write)
    lake.done()
    assert lake.rows("bronze.orders", "id") == [(1,), (3,)]
    assert [row["id"] for _, row in lake.quarantine("bronze.orders")] == [2, 4]


def test_file_ledger_is_recovered_without_ops_and_log(lake: Lake) -> None:
    """If ops.files is lost too, the ledger is read from the rows' source files."""
    lake.declare("bronze.orders", RULE % 5)
    for name in "abc":
        lake.deliver(f"orders/{name}.csv", f"id,amount\n{ord(name)},1\n")
        lake.done()
    lake.spark.sql(f"OPTIMIZE delta.`{lake.path('bronze.orders')}`")
    lake.remove("ops.files")
    lake.spark._jvm.org.apache.spark.sql.delta.DeltaLog.forTable(  # type: ignore[union-attr]
        lake.spark._jsparkSession, lake.path("bronze.orders")
    ).checkpoint()
    lake.remove_from_log("bronze.orders", 0, 1)
    lake.deliver("orders/d.csv", "id,amount\n100,1\n")
    assert lake.done()["bronze.orders"].counts.written == 1
    assert sorted(row[0] for row in lake.rows("bronze.orders", "id")) == [97, 98, 99, 100]
