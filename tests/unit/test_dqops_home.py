"""DQOps' user home: the checks of each table, and updates that keep a server's own changes."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from goldsmith.errors import DeclarationErrors
from goldsmith.project.loading import load_project
from goldsmith.project.pipelines import Project
from goldsmith.publish.dqops import document, home, validation
from goldsmith.publish.dqops.check import Check as Declared
from goldsmith.publish.dqops.checks import map_expectations
from goldsmith.publish.dqops.home import changes, write
from goldsmith.publish.dqops.names import FOLDER, IMPORT_CHECK, table_path
from goldsmith.yaml_text import parsed
from support.command import Command, command
from support.dqops_model import Check, Dqops

REPOSITORY = Path(__file__).resolve().parents[2]

ORDERS = """
source: {files: orders/*.csv, format: csv}
columns: {id: int, code: string, amount: "decimal(9,2)", at: timestamp, day: date, local_at: timestamp_ntz}
fresh_within: 36h
"""
SILVER = r"""
description: One row per order.
owner: sales
tags: [money]
load: {merge: {key: id, newest_by: at}}
columns: {id: int, code: string, amount: "decimal(9,2)", at: timestamp, day: date}
fresh_within: {at: 3h}
expectations:
  - expect_column_values_to_not_be_null: {column: code}
    otherwise: quarantine
  - expect_column_values_to_match_regex: {column: code, regex: "^\\d{2}[.]$"}
    otherwise: quarantine
  - expect_column_values_to_be_between: {column: amount, min_value: 0, max_value: 100}
  - expect_column_values_to_be_between: {column: amount, min_value: 1, max_value: 10}
    name: usual_amount
    otherwise: warn
  - condition: amount IS NOT NULL OR code LIKE 'x%'
    name: priced
    otherwise: drop
  - expect_column_values_to_be_in_set: {column: code, value_set: ["${HOME}"]}
    name: variable
    otherwise: warn
  - expect_column_mean_to_be_between: {column: amount, max_value: 9}
    otherwise: warn
"""
GOLD = """
load: overwrite
columns: {day: date, orders: bigint}
gate: warning
expectations:
  - expect_column_values_to_be_unique: {column: day}
  - expect_table_row_count_to_be_between: {min_value: 1, max_value: 366}
  - expect_column_mean_to_be_between: {column: orders, min_value: 1}
  - expect_column_values_to_be_between: {column: orders, min_value: 1, max_value: 9, mostly: 0.9}
    otherwise: warn
"""


def write_file(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text), encoding="utf-8")


@pytest.fixture
def shop(tmp_path: Path) -> Callable[[], Project]:
    """A small project. Each call loads it again."""
    pipeline = tmp_path / "pipelines/shop"
    write_file(tmp_path / "goldsmith.yaml", "dqops: {silver: '5 9 * * *'}")
    write_file(pipeline / "pipeline.yaml", "{owner: shop-data, tags: [shop], gates: {gold: error}}")
    write_file(pipeline / "bronze/orders.yaml", ORDERS)
    write_file(pipeline / "silver/orders.yaml", SILVER)
    write_file(pipeline / "silver/orders.sql", "SELECT id, code, amount, at, day FROM bronze.orders")
    write_file(pipeline / "gold/days.yaml", GOLD)
    write_file(pipeline / "gold/days.sql", "SELECT day, count(*) AS orders FROM silver.orders GROUP BY day")
    return lambda: load_project(tmp_path)


def generated(project: Project) -> Path:
    write(project, changes(project))
    return project.root / FOLDER


def spec(project: Project, table: str) -> dict[str, Any]:
    text = (generated(project) / table_path(table)).read_text(encoding="utf-8")
    found: dict[str, Any] = parsed(text)["spec"]
    return found


def daily(spec: dict[str, Any], column: str | None = None) -> dict[str, Any]:
    """The checks of a table or a column by name."""
    level = spec if column is None else spec["columns"][column]
    return {
        name: check
        for checks in level["monitoring_checks"]["daily"].values()
        for name, check in checks.items()
    }


def test_expectations_become_equivalent_checks(shop: Callable[[], Project]) -> None:
    silver = spec(shop(), "silver.orders")
    assert daily(silver, "code")["daily_nulls_count"]["error"] == {"max_count": 0}
    assert daily(silver, "amount")["daily_number_in_range_percent"]["parameters"] == {
        "min_value": 0.0,
        "max_value": 100.0,
    }
    # The range check exists already, so the second one is a condition. It ignores rows without an amount.
    usual = daily(silver, "amount")["daily_sql_condition_failed_on_column"]
    assert usual["parameters"]["sql_condition"] == "`amount` >= 1 AND `amount` <= 10"
    assert usual["warning"] == {"max_count": 0}
    assert "error" not in usual
    # NULL fails Goldsmith's conditions and would pass DQOps'.
    priced = daily(silver)["daily_sql_condition_failed_on_table"]
    assert priced["parameters"]["sql_condition"] == "coalesce(amount IS NOT NULL OR code LIKE 'x%', false)"
    assert priced["comments"][0]["comment"].startswith("priced: ")


def test_batch_expectations_are_checks_only_for_full_loads(shop: Callable[[], Project]) -> None:
    project = shop()
    assert map_expectations(project.tables["silver.orders"])[1] == ("variable", "amount_mean_to_be_between")
    gold = spec(project, "gold.days")
    assert map_expectations(project.tables["gold.days"])[1] == ()
    assert daily(gold)["daily_sql_aggregate_expression_on_table"]["error"] == {"from": 1.0, "to": 366.0}
    assert daily(gold, "orders")["daily_mean_in_range"]["error"] == {"from": 1.0}
    assert daily(gold, "orders")["daily_number_in_range_percent"]["warning"] == {"min_percent": 90.0}


def test_tables_get_monitoring_checks(shop: Callable[[], Project]) -> None:
    silver, bronze = spec(shop(), "silver.orders"), spec(shop(), "bronze.orders")
    assert daily(silver)["daily_data_freshness"]["error"] == {"max_days": 0.125}
    assert silver["timestamp_columns"] == {"event_timestamp_column": "at"}
    assert daily(bronze)["daily_data_staleness"]["error"] == {"max_days": 1.5}
    assert daily(silver, "id")["daily_duplicate_count"]["error"] == {"max_count": 0}
    assert {"daily_row_count", "daily_row_count_change_1_day", "daily_column_types_changed"} <= daily(
        bronze
    ).keys()
    assert "daily_nulls_percent_anomaly" in daily(bronze, "amount")
    assert "monitoring_checks" not in bronze["columns"]["_run_id"]
    assert silver["owner"] == {"data_steward": "sales", "application": "shop"}
    assert silver["labels"] == ["silver", "shop", "money"]


def test_table_with_a_gate_has_no_schedule(shop: Callable[[], Project]) -> None:
    project = shop()
    assert project.gate("gold.days") == "warning"
    assert project.gate("silver.orders") is None
    assert spec(project, "gold.days")["schedules_override"] == {"monitoring_daily": {"disabled": True}}
    assert spec(project, "silver.orders")["schedules_override"] == {
        "monitoring_daily": {"cron_expression": "5 9 * * *"}
    }


def test_verdicts_of_loads_are_imported_with_every_severity(shop: Callable[[], Project]) -> None:
    check = daily(spec(shop(), "silver.orders"))["daily_import_custom_result_on_table"]
    assert {"warning": {}, "error": {}, "fatal": {}}.items() <= check.items()
    assert "'usual_amount'" in check["parameters"]["sql_query"]
    assert "grouping_level_1" in check["parameters"]["sql_query"]


def test_imported_verdicts_have_distinct_ids(shop: Callable[[], Project]) -> None:
    """A series' name is part of its id only if the check has a data grouping."""
    folder = generated(shop())
    silver = spec(shop(), "silver.orders")
    assert daily(silver)[IMPORT_CHECK]["data_grouping"] == "verdicts"
    (level,) = silver["groupings"]["verdicts"].values()
    assert level == {"source": "column_value", "column": "id"}
    rules = [e.name for e in shop().tables["silver.orders"].spec.expectations]
    series = [Check(IMPORT_CHECK, group=rule) for rule in rules]
    server = Dqops("2026-11-21", {"silver.orders": series}, home=folder)
    server.run("silver.orders")
    first = {row["data_group_name"]: row["id"] for row in server.stored}
    assert len(set(first.values())) == len(rules)
    # A scheduled run deletes nothing first, and one verdict has changed.
    series[0].severity, series[0].value = 2, 3.0
    server.run("silver.orders")
    assert {row["data_group_name"]: row["id"] for row in server.stored} == first
    assert {row["data_group_name"] for row in server.stored if row["severity"]} == {rules[0]}


def test_table_without_imports_has_no_data_grouping(shop: Callable[[], Project]) -> None:
    assert "groupings" not in spec(shop(), "bronze.orders")


def test_manual_groupings_are_kept_and_the_generated_one_is_removed(
    shop: Callable[[], Project], tmp_path: Path
) -> None:
    file = generated(shop()) / table_path("silver.orders")
    found = parsed(file.read_text())
    own = {"level_1": {"source": "tag", "tag": "north"}}
    found["spec"]["groupings"]["regions"] = own
    found["spec"]["groupings"]["verdicts"] = own
    file.write_text(yaml.safe_dump(found))
    assert spec(shop(), "silver.orders")["groupings"] == {
        "verdicts": {"level_1": {"source": "column_value", "column": "id"}},
        "regions": own,
    }
    text = SILVER[: SILVER.index("expectations:")].replace("fresh_within: {at: 3h}", "")
    write_file(tmp_path / "pipelines/shop/silver/orders.yaml", text)
    assert spec(shop(), "silver.orders")["groupings"] == {"regions": own}
    assert changes(shop()) == []


def test_manual_notification_addresses_are_kept(shop: Callable[[], Project]) -> None:
    """Formerly generated addresses are removed, as the server does not replace their variable."""
    file = generated(shop()) / "sources/lakehouse/connection.dqoconnection.yaml"
    found = parsed(file.read_text())
    grouping = found["spec"]["incident_grouping"]
    assert "incident_notification" not in grouping
    variable = "${DQOPS_WEBHOOK}"
    grouping["incident_notification"] = {
        "incident_opened_addresses": variable,
        "incident_resolved_addresses": variable,
    }
    file.write_text(yaml.safe_dump(found))
    write(shop(), changes(shop()))
    assert variable not in file.read_text()
    own = {
        "incident_opened_addresses": "https://mine.example/hook",
        "incident_resolved_addresses": variable,
        "filtered_notifications": {"gold": {"filter": {"schema": "gold"}}},
    }
    grouping["incident_notification"] = own
    grouping["mute_for_days"] = 3
    file.write_text(yaml.safe_dump(found))
    write(shop(), changes(shop()))
    grouping_after = parsed(file.read_text())["spec"]["incident_grouping"]
    del own["incident_resolved_addresses"]
    assert grouping_after["incident_notification"] == own
    assert (grouping_after["mute_for_days"], grouping_after["minimum_severity"]) == (3, "error")
    assert changes(shop()) == []
    assert validation.problems(file.read_text()) == []


@pytest.mark.parametrize(("column", "code"), [("local_at", "GS110"), ("wen", "GS203"), ("code", "GS110")])
def test_freshness_requires_a_suitable_time_column(
    shop: Callable[[], Project], tmp_path: Path, column: str, code: str
) -> None:
    write_file(tmp_path / "pipelines/shop/bronze/orders.yaml", ORDERS.replace("36h", f"{{{column}: 36h}}"))
    with pytest.raises(DeclarationErrors) as raised:
        shop()
    assert [problem.code for problem in raised.value.problems] == [code]


def test_files_avoid_known_defects_of_the_server(shop: Callable[[], Project]) -> None:
    """Each defect prevents a check from running, or the server from starting."""
    folder = generated(shop())
    assert (folder / ".DQO_USER_HOME").is_file()
    for file, kind in home._DEFAULT_POLICIES:
        policy = parsed((folder / file).read_text())
        assert (policy["kind"], policy["spec"]["disabled"]) == (kind, True)
    connection = parsed((folder / "sources/lakehouse/connection.dqoconnection.yaml").read_text())
    assert connection["spec"]["spark"]["properties"] == {"hiveconf:spark.sql.ansi.enabled": "false"}
    texts = {file.name: file.read_text() for file in folder.rglob("*.dqo*.yaml")}
    for text in texts.values():
        assert not any(getattr(event, "anchor", None) for event in yaml.parse(text))
        assert "daily_column_count:" not in text
    silver = parsed(texts["silver.orders.dqotable.yaml"])["spec"]
    assert silver["columns"]["at"]["type_snapshot"] == {"column_type": "TIMESTAMP"}
    assert silver["columns"]["amount"]["type_snapshot"] == {
        "column_type": "DECIMAL",
        "precision": 9,
        "scale": 2,
    }
    # DQOps inserts the text into SQL, where Spark interprets the backslash.
    assert daily(silver, "code")["daily_text_not_matching_regex_found"]["parameters"] == {
        "regex": r"^\\d{2}[.]$"
    }
    # Only the server's address and login come from variables. The server does not replace those in notification
    # addresses.
    replaced = {part.split("}")[0] for text in texts.values() for part in text.split("${")[1:]}
    assert replaced == {f"SPARK_THRIFT_{name}" for name in ("HOST", "PORT", "USER", "PASSWORD")}


def test_regex_on_a_nullable_column_becomes_a_condition(shop: Callable[[], Project], tmp_path: Path) -> None:
    """DQOps' own check counts NULL as a mismatch."""
    without = SILVER.replace("to_not_be_null: {column: code}", "to_not_be_null: {column: day}")
    write_file(tmp_path / "pipelines/shop/silver/orders.yaml", without)
    code = daily(spec(shop(), "silver.orders"), "code")
    assert "daily_text_not_matching_regex_found" not in code
    assert code["daily_sql_condition_failed_on_column"]["parameters"] == {
        "sql_condition": r"`code` RLIKE '^\\d{2}[.]$'"
    }


def test_home_of_the_repository_is_current_and_valid() -> None:
    project = load_project(REPOSITORY)
    assert [change.path for change in changes(project)] == []
    assert validation.find_errors(REPOSITORY / FOLDER) == []
    for table in project.tables.values():
        assert daily(document.table_document(project, table)["spec"])


@pytest.mark.parametrize(
    ("seed", "message"),
    [
        (lambda check: replace(check, name=check.name + "s"), "Unknown key"),
        (lambda check: replace(check, category="volumes"), "Unknown key"),
        (lambda check: replace(check, rules={"errror": {}}), "Unknown key"),
        (lambda check: replace(check, rules={"error": {"max_cuont": 0}}), "Unknown key"),
        (
            lambda check: replace(check, rules={"error": {"max_count": "0", "min_count": "0"}}),
            "Unknown|must be int",
        ),
        (lambda check: replace(check, parameters={"collumns": ["a"]}), "Unknown key"),
        (lambda check: replace(check, parameters={"columns": [1]}), "Unknown key|must be str"),
    ],
)
def test_errors_of_the_generator_are_found(
    shop: Callable[[], Project],
    monkeypatch: pytest.MonkeyPatch,
    seed: Callable[[Declared], Declared],
    message: str,
) -> None:
    project = shop()
    original = document.checks_of
    monkeypatch.setattr(document, "checks_of", lambda table: tuple(seed(check) for check in original(table)))
    text = document.text_of(document.table_document(project, project.tables["silver.orders"]), "seeded")
    found = validation.problems(text)
    assert found
    assert all(any(part in problem for part in message.split("|")) for problem in found)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("apiVersion: dqo/v1\nkind: table\nspec: &a {labels: [x]}", "anchor"),
        ("apiVersion: dqo/v1\nkind: table\nspec: {labels: [1]}", "must be str"),
        ("apiVersion: dqo/v1\nkind: table\nspec: {priority: high}", "must be int"),
        ("apiVersion: dqo/v1\nkind: tabel\nspec: {}", "`kind` must be one of"),
        ("apiVersion: dqo/v1\nkind: table\nspecs: {}", "Unknown key `specs`"),
        (
            "apiVersion: dqo/v1\nkind: source\nspec:\n  incident_grouping: {incident_notification: "
            "{incident_resolved_addresses: '${HOOK}'}}",
            "resolved_addresses` has a variable",
        ),
        ("apiVersion: dqo/v2\nkind: table\nspec: {}", "dqo/v1"),
        ("apiVersion: dqo/v1\nkind: source\nspec: {provider_type: spork}", "does not match"),
        ("a: [", "not YAML"),
        ("apiVersion: dqo/v1\nkind: default_table_checks\nspec: {priorty: 1}", "Unknown key `spec.priorty`"),
    ],
)
def test_invalid_manual_edits_are_reported(text: str, message: str) -> None:
    assert any(message in problem for problem in validation.problems(text))


def test_manual_additions_are_kept_and_generated_parts_are_replaced(shop: Callable[[], Project]) -> None:
    folder = generated(shop())
    file = folder / table_path("silver.orders")
    found = parsed(file.read_text())
    found["spec"]["filter"] = "{alias}.id > 0"
    found["spec"]["comments"] = [{"comment_by": "me", "comment": "looked at"}]
    found["spec"]["labels"] = ["mine"]
    found["spec"]["profiling_checks"] = {"volume": {"profile_row_count": {"error": {"min_count": 1}}}}
    monitoring = found["spec"]["monitoring_checks"]
    monitoring["monthly"] = {"volume": {"monthly_row_count": {"error": {"min_count": 1}}}}
    monitoring["daily"]["custom"] = {"daily_late_rows": {"error": {"max_ratio": 0.1}}}
    monitoring["daily"]["volume"]["daily_row_count"] = {"error": {"min_count": 5}}
    found["spec"]["columns"]["day"]["labels"] = ["date of the order"]
    file.write_text(yaml.safe_dump(found))
    for path in ("patterns/mine.dqotablepattern.yaml", "sources/lakehouse/legacy.old.dqotable.yaml"):
        write_file(folder / path, "apiVersion: dqo/v1")
    (changed,) = changes(shop())
    assert (changed.kind, changed.path) == ("changed", table_path("silver.orders"))
    assert "min_count: 5" in changed.diff
    write(shop(), [changed])
    again = parsed(file.read_text())["spec"]
    assert again["filter"] == "{alias}.id > 0"
    assert again["comments"][0]["comment_by"] == "me"
    assert again["labels"] == ["silver", "shop", "money"]
    assert again["profiling_checks"] == found["spec"]["profiling_checks"]
    assert again["monitoring_checks"]["monthly"] == monitoring["monthly"]
    assert again["monitoring_checks"]["daily"]["custom"] == monitoring["daily"]["custom"]
    assert again["monitoring_checks"]["daily"]["volume"]["daily_row_count"] == {"warning": {"min_count": 1}}
    assert again["columns"]["day"]["labels"] == ["date of the order"]
    assert (folder / "sources/lakehouse/legacy.old.dqotable.yaml").is_file()
    assert changes(shop()) == []


def test_undeclared_table_is_removed_from_the_home(shop: Callable[[], Project], tmp_path: Path) -> None:
    folder = generated(shop())
    for name in ("days.yaml", "days.sql"):
        (tmp_path / "pipelines/shop/gold" / name).unlink()
    (change,) = changes(shop())
    assert (change.kind, change.path) == ("removed", table_path("gold.days"))
    write(shop(), [change])
    assert not (folder / table_path("gold.days")).exists()


def test_files_are_replaced_atomically_within_existing_folders(
    shop: Callable[[], Project], tmp_path: Path
) -> None:
    folder = generated(shop())
    settings = folder / ".localsettings.dqosettings.yaml"
    settings.write_text("the server wrote this")
    before = {path: path.stat() for path in folder.rglob("*")}
    write_file(
        tmp_path / "pipelines/shop/silver/orders.yaml", SILVER.replace("max_value: 100}", "max_value: 99}")
    )
    generated(shop())
    after = {path: path.stat() for path in folder.rglob("*")}
    changed = {path for path in after if after[path].st_ino != before[path].st_ino}
    assert after.keys() == before.keys()
    assert changed == {folder / table_path("silver.orders")}
    assert {
        path: stat.st_mtime_ns for path, stat in after.items() if path.is_file() and path not in changed
    } == {path: stat.st_mtime_ns for path, stat in before.items() if path.is_file() and path not in changed}
    assert settings.read_text() == "the server wrote this"
    assert {oct(stat.st_mode & 0o777) for path, stat in after.items() if path.is_file()} == {"0o644"}


@pytest.fixture
def goldsmith(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    return command(monkeypatch, capsys)


def test_drift_is_printed_and_returns_code_2(
    shop: Callable[[], Project], tmp_path: Path, goldsmith: Command
) -> None:
    file = generated(shop()) / table_path("silver.orders")
    file.write_text(file.read_text().replace("max_value: 100.0", "max_value: 1000.0"))
    ended = goldsmith("dqops", "generate", "--check", folder=tmp_path)
    assert ended.code == 2
    assert re.search(r"^- +max_value: 1000.0$", ended.out, re.MULTILINE)
    assert re.search(r"^\+ +max_value: 100.0$", ended.out, re.MULTILINE)
    assert "GS712 1 file of DQOps' user home differs from the declarations." in ended.err
    assert "1000.0" in file.read_text()
    assert goldsmith("dqops", "generate", folder=tmp_path).code == 0
    assert goldsmith("dqops", "generate", "--check", folder=tmp_path).code == 0


def test_invalid_manual_policy_returns_code_2(
    shop: Callable[[], Project], tmp_path: Path, goldsmith: Command
) -> None:
    policy = "apiVersion: dqo/v1\nkind: default_table_checks\nspec: {monitoring_checks: {daily: {volum: {}}}}"
    write_file(generated(shop()) / "patterns/mine.dqotablepattern.yaml", policy)
    ended = goldsmith("dqops", "generate", "--check", folder=tmp_path)
    assert ended.code == 2
    assert "GS711 Unknown key `spec.monitoring_checks.daily.volum`." in ended.err
    assert "patterns/mine.dqotablepattern.yaml" in ended.err


EVERY_KIND = """
load: overwrite
columns: {day: date, orders: bigint, code: string, other: string}
expectations:
  - expect_column_values_to_not_be_null: {column: day}
  - expect_column_values_to_not_be_null: {column: orders, mostly: 0.9}
  - expect_column_values_to_be_null: {column: other}
  - expect_column_values_to_be_in_set: {column: code, value_set: [a, b]}
  - expect_column_values_to_be_in_set: {column: orders, value_set: [1, 2], mostly: 0.5}
  - expect_column_values_to_not_be_in_set: {column: code, value_set: [c], mostly: 0.5}
  - expect_column_values_to_be_between: {column: orders, min_value: 1}
  - expect_column_values_to_be_between: {column: orders, max_value: 10}
    name: most
  - expect_column_values_to_be_between: {column: day, min_value: 2026-01-01}
  - expect_column_values_to_match_regex: {column: other, regex: "^a", mostly: 0.5}
  - expect_column_values_to_not_match_regex: {column: other, regex: "x"}
  - expect_column_values_to_match_like_pattern: {column: other, like_pattern: "x%"}
  - expect_column_value_lengths_to_be_between: {column: code, min_value: 1, max_value: 3}
  - expect_column_value_lengths_to_equal: {column: other, value: 3}
  - expect_column_values_to_exist_in: {column: code, table: silver.orders}
  - expect_column_pair_values_to_be_equal: {column_A: code, column_B: other}
  - expect_multicolumn_sum_to_equal: {column_list: [orders, orders], sum_total: 2}
  - expect_column_values_to_be_unique: {column: day}
  - expect_compound_columns_to_be_unique: {column_list: [day, code]}
  - expect_table_row_count_to_be_between: {min_value: 5}
  - expect_column_sum_to_be_between: {column: orders, min_value: 1, max_value: 9}
  - expect_column_min_to_be_between: {column: orders, min_value: 1}
  - expect_column_max_to_be_between: {column: orders, max_value: 9}
  - expect_column_mean_to_be_between: {column: orders, max_value: 9, strict_max: true}
  - expect_column_values_to_be_of_type: {column: code, type_: StringType}
"""


def test_every_kind_of_expectation_gives_valid_checks(shop: Callable[[], Project], tmp_path: Path) -> None:
    write_file(tmp_path / "pipelines/shop/gold/days.yaml", EVERY_KIND)
    sql = "SELECT day, count(*) AS orders, min(code) AS code, max(code) AS other FROM silver.orders GROUP BY day"
    write_file(tmp_path / "pipelines/shop/gold/days.sql", sql)
    project = shop()
    table = project.tables["gold.days"]
    assert validation.problems(document.text_of(document.table_document(project, table), "x")) == []
    checks, without = map_expectations(table)
    # DQOps has no checks of types and of one-sided bounds.
    assert without == ("orders_mean_to_be_between", "code_to_be_of_type")
    mapped = [name for check in checks for name in check.expectations]
    assert sorted([*mapped, *without]) == sorted(e.name for e in table.spec.expectations)


def test_unwritable_home_is_reported(shop: Callable[[], Project], tmp_path: Path, goldsmith: Command) -> None:
    write_file(tmp_path / FOLDER / "sources", "in the way")
    ended = goldsmith("dqops", "generate", folder=tmp_path)
    assert ended.code == 1
    assert "GS402 DQOps' user home cannot be written" in ended.err
