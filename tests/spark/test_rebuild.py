"""A changed declaration rebuilds a table only if it affects the content. A deleted table is loaded again."""

from __future__ import annotations

from pathlib import Path

import pytest

from goldsmith.run.context import Run
from goldsmith.run.preview import preview
from support.lake import Lake
from support.properties import Upstream

MERGE = "load: {merge: {key: id}}"


def test_only_a_changed_definition_rebuilds(lake: Lake) -> None:
    source = Upstream(lake, "bronze.src", "id int, n int")
    source.append([{"id": 1, "n": 1}, {"id": 2, "n": 2}])
    lake.declare("silver.t", MERGE, "SELECT id, n FROM bronze.src")
    lake.declare("silver.fixed", f"{MERGE}\non_definition_change: fail", "SELECT id, n FROM bronze.src")
    lake.done("silver")
    for name in ("t", "fixed"):
        on_change = "on_definition_change: fail\n" if name == "fixed" else ""
        lake.declare(
            f"silver.{name}",
            f"description: Told now.\n{on_change}load:\n  merge:\n    key: [id]\n"
            "expectations: [{condition: n > 0, name: positive, otherwise: warn}]",
            "-- a comment\nselect  id,\n  n\nFROM   bronze.src",
        )
    assert {outcome.status for outcome in lake.done("silver").values()} == {"nothing_new"}
    for name in ("t", "fixed"):
        on_change = "\non_definition_change: fail" if name == "fixed" else ""
        lake.declare(f"silver.{name}", MERGE + on_change, "SELECT id, n * 10 AS n FROM bronze.src")
    outcomes = {outcome.table: outcome for outcome in lake.run("silver").outcomes}
    assert outcomes["silver.t"].commits[0].mode == "rebuild"
    error = outcomes["silver.fixed"].error
    assert error is not None
    assert error.code == "GS405"
    assert lake.rows("silver.t") == [(1, 10), (2, 20)]
    assert lake.rows("silver.fixed") == [(1, 1), (2, 2)]
    lake.done("silver.fixed", rebuild=["silver.fixed"])
    assert lake.rows("silver.fixed") == [(1, 10), (2, 20)]


def test_new_rules_re_evaluate_all_rows(lake: Lake) -> None:
    source = Upstream(lake, "bronze.src", "id int, n int")
    source.append([{"id": 1, "n": 1}, {"id": 2, "n": 2}])
    rule = "\nexpectations: [{{condition: n <> {n}, name: other, otherwise: {otherwise}}}]"
    lake.declare("silver.t", MERGE + rule.format(n=1, otherwise="quarantine"), "SELECT id, n FROM bronze.src")
    lake.done("silver")
    assert lake.quarantine("silver.t") == [(("other",), {"id": 1, "n": 1})]
    lake.declare("silver.t", MERGE + rule.format(n=2, otherwise="quarantine"), "SELECT id, n FROM bronze.src")
    lake.done("silver")
    assert lake.quarantine("silver.t") == [(("other",), {"id": 2, "n": 2})]
    lake.declare("silver.t", MERGE + rule.format(n=2, otherwise="drop"), "SELECT id, n FROM bronze.src")
    counts = lake.done("silver")["silver.t"].counts
    assert (counts.rows_in, counts.written, counts.dropped, counts.quarantined) == (2, 1, 1, 0)
    assert lake.quarantine("silver.t") == []
    assert lake.rows("silver.t") == [(1, 1)]


def test_load_that_must_not_read_everything_fails_until_it_is_asked_for(lake: Lake) -> None:
    source = Upstream(lake, "bronze.src", "id int, n int")
    source.append([{"id": 1, "n": 1}])
    required = "load: {merge: {key: id}}\nincremental: required"
    lake.declare("silver.t", required, "SELECT id, n FROM bronze.src")
    lake.done("silver")
    source.append([{"id": 2, "n": 2}])
    assert lake.done("silver")["silver.t"].commits[0].mode == "incremental"
    lake.declare("silver.t", required, "SELECT id, n + 1 AS n FROM bronze.src")
    source.append([{"id": 3, "n": 3}])
    (step,) = preview(lake.spark, lake.begin(), ["silver.t"])
    assert (step.action, step.reads) == ("fail", "the rows of its id")
    error = lake.run("silver").outcomes[0].error
    assert error is not None
    assert (error.code, error.retryable) == ("GS509", False)
    assert "the declaration changed" in error.message
    assert lake.rows("silver.t") == [(1, 1), (2, 2)]
    assert lake.done("silver", rebuild=["silver.t"])["silver.t"].commits[0].mode == "rebuild"
    assert lake.rows("silver.t") == [(1, 2), (2, 3), (3, 4)]


@pytest.mark.parametrize(("by", "lockless"), [("nobody", False), ("another program", True)])
def test_quarantine_of_a_deleted_table_is_replaced(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, by: str, *, lockless: bool
) -> None:
    monkeypatch.setattr(Run, "lockless", lockless)
    # With locks, those of a warehouse on S3 are files below the working directory.
    monkeypatch.chdir(tmp_path)
    source = Upstream(lake, "bronze.src", "id int, n int")
    rule = "load: overwrite\nexpectations: [{condition: n > 0, name: positive, otherwise: quarantine}]"
    lake.declare("silver.t", rule, "SELECT id, n FROM bronze.src")
    held = [(("positive",), {"id": id_, "n": -1}) for id_ in (1, 2, 3)]
    for id_ in (1, 2):
        source.append([{"id": id_, "n": -1}])
        lake.done("silver")
        assert lake.quarantine("silver.t") == held[:id_]
    lake.remove("silver.t")
    lake.spark._jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()  # type: ignore[union-attr]
    if by == "another program":
        lake.spark.sql("SELECT 1 AS id, 1 AS n").write.format("delta").save(lake.path("silver.t"))
    lake.done("silver", rebuild=["silver.t"] if by == "another program" else [])
    assert lake.quarantine("silver.t") == held[:2]
    source.append([{"id": 3, "n": -1}])
    lake.done("silver")
    assert lake.quarantine("silver.t") == held
