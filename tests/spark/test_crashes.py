"""What a run leaves when it dies at a certain step, and how the next one mends it."""

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
from support.lake import Lake

RULE = """
source: {files: orders/*.csv, format: csv}
columns: {id: int, amount: int}
expectations:
  - expect_column_values_to_be_between: {column: amount, max_value: %s}
    otherwise: quarantine
"""


class Died(BaseException):
    """Ends a run like a kill: nothing catches it on the way."""


@contextmanager
def dying(owner: object, name: str) -> Iterator[None]:
    """The body dies where it calls `name` of a module or class."""

    def die(*_: object, **__: object) -> None:
        raise Died

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(owner, name, die)
        with pytest.raises(Died):
            yield


def test_death_before_the_commit_leaves_no_quarantined_row(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.declare("bronze.orders", RULE % 5)
    lake.deliver("orders/a.csv", "id,amount\n1,1\n2,9\n")
    with dying(attempt, "write"):
        lake.run()
    assert lake.version("bronze.orders") == -1
    lake.done()
    assert lake.rows("bronze.orders", "id") == [(1,)]
    assert [row["id"] for _, row in lake.quarantine("bronze.orders")] == [2]


def test_death_after_the_commit_of_a_release_doubles_nothing(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.declare("bronze.orders", RULE % 5)
    lake.deliver("orders/a.csv", "id,amount\n1,1\n2,9\n3,50\n")
    lake.done()
    lake.declare("bronze.orders", RULE % 10)
    with dying(releasing, "commit_status"):
        lake.release("bronze.orders")
    assert lake.rows("bronze.orders", "id") == [(1,), (2,)]
    assert lake.idle() is None, "the next run removes what was released from the quarantine"
    lake.done()
    assert lake.idle() is not None
    assert [row["id"] for _, row in lake.quarantine("bronze.orders")] == [3]
    assert lake.release("bronze.orders").released == 0
    assert lake.rows("bronze.orders", "id") == [(1,), (2,)]


def test_a_release_right_after_the_death_mends_it_as_well(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.declare("bronze.orders", RULE % 5)
    lake.deliver("orders/a.csv", "id,amount\n1,1\n2,9\n")
    lake.done()
    lake.declare("bronze.orders", RULE % 10)
    with dying(releasing, "commit_status"):
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
"""Where a release dies: before it reads, before its marks, before and after its commit."""


def test_a_release_that_dies_at_any_step_loses_and_doubles_nothing(lake: Lake) -> None:
    lake.declare("bronze.orders", RULE % 5)
    lake.deliver("orders/a.csv", "id,amount\n1,1\n2,6\n3,7\n4,8\n5,9\n")
    lake.done()
    for number, (owner, name) in enumerate(STEPS):
        released = [(id_,) for id_ in range(1, number + 3)]
        lake.declare("bronze.orders", RULE % (6 + number))
        with dying(owner, name) if name != "reconcile" else dying_in_second(owner, name):
            lake.release("bronze.orders")
        committed = lake.rows("bronze.orders", "id")
        assert committed == (released if name == "reconcile" else released[:-1]), name
        lake.done()
        held = [(row["id"],) for _, row in lake.quarantine("bronze.orders")]
        assert sorted(committed + held) == [(1,), (2,), (3,), (4,), (5,)], name
        assert lake.release("bronze.orders").released == (0 if name == "reconcile" else 1), name
        assert lake.rows("bronze.orders", "id") == released, name


@contextmanager
def dying_in_second(owner: object, name: str) -> Iterator[None]:
    """The body dies where it calls `name` for the second time."""
    inner, calls = getattr(owner, name), []

    def die(*arguments: Any, **named: Any) -> Any:
        calls.append(True)
        if len(calls) == 2:
            raise Died
        return inner(*arguments, **named)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(owner, name, die)
        with pytest.raises(Died):
            yield


def test_a_load_and_a_release_that_meet_both_take_effect_once(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no lock keeps them apart, as on S3: the other commits between the plan and the commit of the first."""
    monkeypatch.setattr(Run, "lockless", True)
    lake.declare("bronze.orders", RULE % 5)
    lake.deliver("orders/a.csv", "id,amount\n1,1\n2,6\n3,7\n4,8\n")
    lake.done()
    met: list[str] = []

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

    def meeting(owner: object, other: Callable[[], None]) -> Callable[..., Any]:
        inner = owner.write  # type: ignore[attr-defined]

        def write(*arguments: Any) -> Any:
            if other.__name__ not in met:
                met.append(other.__name__)
                other()
            return inner(*arguments)

        return write

    lake.declare("bronze.orders", RULE % 6)
    lake.deliver("orders/b.csv", "id,amount\n5,2\n6,8\n")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(releasing, "write", meeting(releasing, load))
        assert lake.release("bronze.orders").released == 1
    assert lake.rows("bronze.orders", "id") == [(1,), (2,), (5,)]
    lake.declare("bronze.orders", RULE % 7)
    lake.deliver("orders/c.csv", "id,amount\n7,3\n8,9\n")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(attempt, "write", meeting(attempt, release))
        assert lake.done()["bronze.orders"].counts.balanced
    assert met == ["load", "release"]
    assert lake.rows("bronze.orders", "id") == [(1,), (2,), (3,), (5,), (7,)]
    assert sorted(row["id"] for _, row in lake.quarantine("bronze.orders")) == [4, 6, 8]


def test_records_that_a_death_left_out_are_restored(lake: Lake) -> None:
    lake.declare("bronze.orders", RULE % 5)
    lake.deliver("orders/a.csv", "id,amount\n1,1\n")
    with dying(runner, "record"):
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


def test_loads_that_left_no_rows_in_a_record_are_not_taken_for_cut_off(lake: Lake) -> None:
    """A rebuild of gold reads no files and judges nothing: ops.files and ops.expectations get no commit by it."""
    lake.declare("bronze.orders", RULE % 5)
    lake.declare("gold.totals", "load: overwrite", "SELECT sum(amount) AS amount FROM bronze.orders")
    lake.deliver("orders/a.csv", "id,amount\n1,1\n")
    lake.done()
    lake.done(rebuild=["gold.totals"])
    lake.deliver("orders/b.csv", "id,amount\n2,2\n")
    assert lake.run().restored == 0


def test_a_table_removed_and_loaded_anew_knows_its_own_files_only(lake: Lake) -> None:
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


def test_a_clustered_table_that_was_only_made_is_loaded(lake: Lake) -> None:
    lake.declare("bronze.orders", RULE % 5 + "cluster_by: id\n")
    lake.deliver("orders/a.csv", "id,amount\n1,1\n")
    with dying(base, "overwrite"):
        lake.run()
    assert lake.version("bronze.orders") == 0
    lake.done()
    assert lake.rows("bronze.orders", "id") == [(1,)]
    detail = lake.spark.sql(f"DESCRIBE DETAIL delta.`{lake.path('bronze.orders')}`").collect()[0]
    assert detail["clusteringColumns"] == ["id"]


def test_nothing_is_lost_when_another_commit_comes_first(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs planned from the same counter: the second one's commit is not taken, and it plans again."""
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


def test_the_ledger_outlives_ops_and_the_log(lake: Lake) -> None:
    """Where ops.files is lost too, the rows themselves tell which files they came from."""
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
