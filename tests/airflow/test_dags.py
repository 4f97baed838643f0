"""The DAGs compared with the declarations and with the project's conventions."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG, CronPartitionTimetable, PartitionedAssetTimetable
from airflow.serialization.serialized_objects import DagSerialization
from airflow.timetables.base import TimeRestriction

from conftest import ROOT, Write, pipeline
from goldsmith.project.loading import load_project
from goldsmith.publish.airflow.dags import all_dags
from goldsmith.publish.airflow.gates import GateTable
from goldsmith.publish.airflow.operators import LoadTables
from goldsmith.publish.airflow.schedules import FIRST_WITHIN

DAGS = ROOT / "airflow" / "dags"


def bag(project: Path | None = None) -> DagBag:
    with patch.dict(os.environ, {"GOLDSMITH_PROJECT": str(project)} if project else {}):
        return DagBag(DAGS)


@pytest.fixture(scope="module")
def own() -> DagBag:
    """The DAGs of this repository's project."""
    return bag()


def loads(dag: DAG) -> list[LoadTables]:
    return [task for task in dag.tasks if isinstance(task, LoadTables)]


def test_all_dags_import(own: DagBag) -> None:
    assert own.import_errors == {}
    assert set(own.dags) == {*load_project(ROOT).pipelines, "goldsmith_maintenance"}


def test_dags_follow_the_conventions(own: DagBag) -> None:
    for dag in own.dags.values():
        assert "goldsmith" in dag.tags
        assert dag.description
        assert dag.catchup is False
        assert dag.max_active_runs == 1
        assert all(task.retries >= 0 and task.pool for task in dag.tasks)
        for task in loads(dag):
            assert task.outlets
            assert task.doc_md
            assert task.owner != "airflow"
            assert task.max_active_tis_per_dag == 1


def test_graph_follows_the_declarations(own: DagBag) -> None:
    project = load_project(ROOT)
    for name in project.pipelines:
        dag = own.dags[name]
        expected = {
            (need, table.name)
            for table in project.tables.values()
            if table.pipeline == name
            for need in table.needs
            if project.tables[need].pipeline == name
        }
        edges = {(up, task.task_id) for task in loads(dag) for up in task.upstream_task_ids if up != "feed"}
        assert edges == expected
        assert {task.task_id for task in loads(dag)} == {
            table.name for table in project.tables.values() if table.pipeline == name
        }
        if project.pipelines[name].feed_file:
            roots = {task.task_id for task in loads(dag) if not project.tables[task.task_id].needs}
            assert dag.get_task("feed").downstream_task_ids == roots


def test_each_asset_has_one_producer(own: DagBag) -> None:
    """Each inlet is an outlet of a task, and no table has two writers."""
    written = [asset.uri for dag in own.dags.values() for task in loads(dag) for asset in task.outlets]
    read = {asset.uri for dag in own.dags.values() for task in loads(dag) for asset in task.inlets}
    assert len(written) == len(set(written))
    assert read <= set(written)


def test_all_dags_survive_serialization(own: DagBag) -> None:
    for dag in own.dags.values():
        DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))


def test_task_process_builds_only_its_own_dag(write: Write) -> None:
    root = write(
        {**pipeline("orders"), **pipeline("stock"), "pipelines/stock/silver/stock.sql": "SELEC nonsense"}
    )
    assert set(all_dags(root, only="orders")) == {"orders"}
    assert set(all_dags(root, only="goldsmith_maintenance")) == {"goldsmith_maintenance"}


@pytest.mark.parametrize(
    ("folding", "tasks"),
    [
        (
            "table",
            {"bronze.orders": set(), "silver.orders": {"bronze.orders"}, "gold.orders": {"silver.orders"}},
        ),
        ("layer", {"bronze": set(), "silver": {"bronze"}, "gold": {"silver"}}),
        ("pipeline", {"tables": set()}),
    ],
)
def test_tasks_are_grouped(write: Write, folding: str, tasks: dict[str, set[str]]) -> None:
    dag = all_dags(write(pipeline("orders", f"tasks: {folding}\n")))["orders"]
    assert {task.task_id: task.upstream_task_ids for task in dag.tasks} == tasks
    assert [name for task in loads(dag) for name in task.tables] == [
        "bronze.orders",
        "silver.orders",
        "gold.orders",
    ]
    assert len(loads(dag)[-1].outlets) == len(loads(dag)[-1].tables)


def test_invalid_pipeline_does_not_affect_others(write: Write) -> None:
    root = write(
        {**pipeline("orders"), **pipeline("stock"), "pipelines/stock/gold/stock.yaml": "lod: overwrite\n"}
    )
    found = bag(root)
    assert set(found.dags) == {"orders", "goldsmith_maintenance"}
    [(file, message)] = found.import_errors.items()
    assert Path(file).name == "goldsmith_declarations.py"
    assert "GS102 Unknown key `lod`." in message
    assert f"{root}/pipelines/stock/gold/stock.yaml:1:1" in message
    assert "Did you mean `load`?" in message


def test_new_dags_start_no_past_runs(own: DagBag) -> None:
    now = datetime.now(UTC)
    never_ran = TimeRestriction(earliest=None, latest=None, catchup=False)
    for name in ("flights", "goldsmith_maintenance"):
        dag = own.dags[name]
        assert dag.start_date is None, "Airflow would start the last interval at once"
        # The scheduler's timetable, built from the serialized DAG.
        timetable = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag)).timetable
        first = timetable.next_dagrun_info_v2(last_dagrun_info=None, restriction=never_ran)
        assert first is not None
        assert first.run_after > now - FIRST_WITHIN


def test_no_run_starts_before_the_start_date(write: Write) -> None:
    settings = "schedule: '0 6 * * *'\nstart_date: 2913-01-01\n"
    dag = all_dags(write(pipeline("orders", settings)))["orders"]
    assert dag.start_date == datetime(2913, 1, 2, 6, tzinfo=UTC)


def test_partition_ends_when_its_run_is_due(write: Write) -> None:
    settings = "schedule: '0 6 * * *'\nstart_date: 2013-01-01\ncatchup: true\n"
    dag = all_dags(write(pipeline("orders", settings)))["orders"]
    assert isinstance(dag.timetable, CronPartitionTimetable)
    assert dag.start_date == datetime(2013, 1, 2, 6, tzinfo=UTC)
    assert dag.timetable.key_format == "%Y-%m-%d"


def test_pipeline_starts_after_another(write: Write) -> None:
    root = write(
        {
            **pipeline("orders", "schedule: '@daily'\n"),
            **pipeline("sums", "schedule: {after: [gold.orders]}\n", above="silver.orders"),
            **pipeline("byhand", "schedule: {after: [gold.manual]}\n"),
            **pipeline("manual"),
        }
    )
    dags = all_dags(root)
    # Partitioned runs wait for partitions. Runs without a partition start unpartitioned ones.
    assert isinstance(dags["sums"].timetable, PartitionedAssetTimetable)
    assert not isinstance(dags["byhand"].timetable, PartitionedAssetTimetable)
    assert [asset.uri for asset in dags["sums"].get_task("gold.sums").inlets] == [
        "goldsmith://silver/sums",
        "goldsmith://silver/orders",
    ]
    # The timetable is the same if only this DAG is built.
    assert all_dags(root, only="sums")["sums"].timetable == dags["sums"].timetable


def test_declared_settings_reach_the_tasks(write: Write) -> None:
    settings = """\
        owner: sales
        tags: [money]
        retries: 5
        timeout: 90m
        deadline: 3h
        pool: spark
        priority: 7
        max_active_runs: 2
        alerts: ops
        """
    dag = all_dags(write(pipeline("orders", settings)))["orders"]
    task = dag.get_task("gold.orders")
    assert dag.tags == {"goldsmith", "money"}
    assert (task.retries, task.execution_timeout) == (5, timedelta(minutes=90))
    assert (task.pool, task.priority_weight, task.owner) == ("spark", 7, "sales")
    assert dag.get_task("bronze.orders").owner == "orders-desk"
    assert task._get_hook()._build_spark_submit_command("run.py")[3:5] == ["--driver-memory", "2g"]
    assert dag.max_active_runs == 2
    assert task.on_failure_callback
    assert dag.deadline


def test_scheduled_pipeline_waits_for_upstreams_within_its_runs(write: Write) -> None:
    root = write(
        {
            **pipeline("orders", "schedule: '@hourly'\n"),
            **pipeline("sums", "schedule: {cron: '@daily', after: [gold.orders]}\n"),
            "pipelines/sums/feed.py": "def deliver(day):\n    yield from ()\n",
        }
    )
    dag = all_dags(root)["sums"]
    wait = dag.get_task("wait")
    assert isinstance(dag.timetable, CronPartitionTimetable)
    assert [asset.name for asset in wait.inlets] == ["gold.orders"]
    assert wait.downstream_task_ids == {"feed"}
    assert dag.get_task("feed").downstream_task_ids == {"bronze.sums"}


@pytest.fixture
def dqops(monkeypatch: pytest.MonkeyPatch) -> None:
    """Configures a DQOps server."""
    monkeypatch.setenv("DQOPS_URL", "http://dqops:8888")


def gates(dag: DAG) -> dict[str, GateTable]:
    return {task.table: task for task in dag.tasks if isinstance(task, GateTable)}


def test_without_a_server_dags_have_no_gates_and_document_it(own: DagBag) -> None:
    for dag in own.dags.values():
        assert gates(dag) == {}
        assert not any(task.task_id.startswith("dqops.") for task in dag.tasks)
    assert "not part of the DAG, because DQOPS_URL is not set: `gold." in (own.dags["flights"].doc_md or "")


@pytest.mark.usefixtures("dqops")
def test_gates_follow_the_declarations() -> None:
    project = load_project(ROOT)
    for name, dag in all_dags(ROOT).items():
        declared = {
            table: project.gate(table) for table in project.tables if project.pipeline_of(table) == name
        }
        found = gates(dag)
        assert {table: gate.limit for table, gate in found.items()} == {
            table: limit for table, limit in declared.items() if limit
        }
        for table, gate in found.items():
            assert gate.upstream_task_ids == {table}
            assert [asset.name for asset in gate.outlets] == [table]
            assert dag.get_task(table).outlets == []
            assert f"`{table}` at {gate.limit}" in (dag.doc_md or "")
        DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))


@pytest.mark.usefixtures("dqops")
@pytest.mark.parametrize(
    ("folding", "loads_of", "before_gold"),
    [
        ("table", "silver.orders", {"silver.orders.gate"}),
        ("layer", "silver", {"silver.orders.gate"}),
        ("pipeline", "tables", None),
    ],
)
def test_downstream_tasks_wait_for_the_gate(
    write: Write, folding: str, loads_of: str, before_gold: set[str] | None
) -> None:
    settings = f"tasks: {folding}\ntimeout: 90m\nretries: 4\ngates: {{silver: warning, gold: fatal}}\n"
    files = pipeline("orders", settings)
    files["pipelines/orders/gold/orders.yaml"] += "gate: none\n"
    dag = all_dags(write(files))["orders"]
    assert set(gates(dag)) == {"silver.orders"}
    gate = gates(dag)["silver.orders"]
    assert (gate.task_id, gate.limit, gate.retries) == ("silver.orders.gate", "warning", 4)
    assert (gate.pool, gate.time_limit, gate.max_active_tis_per_dag) == (
        "default_pool",
        timedelta(minutes=90),
        1,
    )
    assert gate.upstream_task_ids == {loads_of}
    if before_gold is not None:
        assert dag.get_task("gold.orders" if folding == "table" else "gold").upstream_task_ids == before_gold
    # Assets of tables without a gate are emitted by their loads.
    emitted = {asset.name for task in loads(dag) for asset in task.outlets}
    assert emitted == {"bronze.orders", "gold.orders"}


@pytest.mark.usefixtures("dqops")
def test_exchange_runs_last_and_does_not_decide_the_run(write: Write) -> None:
    dag = all_dags(write(pipeline("orders", "gates: {gold: error}\n")))["orders"]
    importing, collecting = dag.get_task("dqops.import"), dag.get_task("dqops.collect")
    others = {task.task_id for task in dag.tasks} - {"dqops.import", "dqops.collect"}
    assert importing.upstream_task_ids == others
    assert collecting.upstream_task_ids == {"dqops.import"}
    assert collecting.downstream_task_ids == set()
    for task in (importing, collecting):
        assert task.is_teardown
        assert not task.on_failure_fail_dagrun
        assert task.outlets == []
