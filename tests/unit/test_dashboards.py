"""Mistakes in dashboards and metrics, and the assets generated from valid ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from goldsmith.errors import DeclarationError, DeclarationErrors, NotReady
from goldsmith.project.loading import load_project
from goldsmith.project.ops import OPS_TABLES
from goldsmith.project.sql.expression import check_metric
from goldsmith.publish.superset import assets
from goldsmith.publish.superset.client import Server, bundle, rison
from goldsmith.publish.superset.datasets import database_uri
from goldsmith.publish.superset.generate import check_built_in, generate
from goldsmith.publish.superset.names import Names
from goldsmith.yaml_text import parsed

REPOSITORY = Path(__file__).parents[2]
BRONZE = "source: {files: o/*.csv, format: csv}\ncolumns: {day: date, shop: string, paid: int, lat: double, lon: double}\n"
GOLD = """
owner: sales
columns: {day: date, shop: string, paid: bigint, lat: double, lon: double}
metrics:
  orders: COUNT(*)
  revenue: {expression: SUM(paid), label: Paid, format: ",d", description: Money.}
"""
DASHBOARD = """title: Sales
filters:
  - {title: Time, kind: time}
  - {title: Shop, column: gold.sales.shop}
rows:
  - - {title: Orders, kind: number, table: gold.sales, metrics: orders, time: day}
    - {title: By day, kind: line, table: gold.sales, metrics: revenue, dimensions: shop, time: day, width: 9}
  - heading: Shops
    charts:
      - {title: Shops, kind: table, table: gold.sales, metrics: [orders, revenue], dimensions: shop, sort: -revenue}
      - {title: Loads, kind: number, table: ops.table_runs, metrics: loads}
"""
FILE = "pipelines/p/dashboards/sales.yaml"
TABLE = "pipelines/p/gold/sales.yaml"

Written = Callable[..., Path]


@pytest.fixture
def project(tmp_path: Path) -> Written:
    """A project with a gold table and a dashboard, with some changed files."""

    def write(changed: dict[str, str] | None = None) -> Path:
        files = {
            "goldsmith.yaml": "name: shop\n",
            "pipelines/p/pipeline.yaml": "",
            "pipelines/p/bronze/o.yaml": BRONZE,
            TABLE: GOLD,
            "pipelines/p/gold/sales.sql": "SELECT day, shop, paid, lat, lon FROM bronze.o",
            FILE: DASHBOARD,
            **(changed or {}),
        }
        for path, text in files.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text, encoding="utf-8")
        return tmp_path

    return write


def mistakes(root: Path) -> tuple[DeclarationError, ...]:
    try:
        load_project(root)
    except DeclarationErrors as found:
        return found.problems
    return ()


def chart(text: str) -> str:
    return f"title: T\nrows:\n  - - {{title: C, {text}}}\n"


IN_DASHBOARD = [
    ("kind: number, table: gold.sale, metrics: orders", "GS108", "`gold.sale`", "`gold.sales`"),
    ("kind: number, table: bronze.o, metrics: orders", "GS110", "gold and ops", "gold table"),
    ("kind: number, table: gold.sales, metrics: order", "GS108", "no metric `order`", "`orders`"),
    ("kind: line, table: gold.sales, metrics: orders, time: dy", "GS203", "`dy`", "`day`"),
    (
        "kind: line, table: gold.sales, metrics: orders, time: shop",
        "GS110",
        "neither a date nor a timestamp",
        "day",
    ),
    ("kind: line, table: gold.sales, metrics: orders", "GS104", "`time`", None),
    ("kind: pie, table: gold.sales, metrics: orders, dimensions: shp", "GS203", "`shp`", "`shop`"),
    (
        "kind: pie, table: gold.sales, metrics: [orders, revenue], dimensions: shop",
        "GS110",
        "one metric",
        None,
    ),
    (
        "kind: pie, table: gold.sales, metrics: orders, dimensions: shop, grain: day",
        "GS110",
        "no `grain`",
        None,
    ),
    ("kind: number, table: gold.sales", "GS104", "`metrics`", "flights"),
    ("kind: number, table: gold.sales, metrics: orders, filter: paide > 1", "GS203", "`paide`", "`paid`"),
    ("kind: number, table: gold.sales, metrics: orders, filter: SUM(paid) > 1", "GS110", "one row", None),
    (
        "kind: table, table: gold.sales, metrics: orders, dimensions: shop, sort: -paid",
        "GS108",
        "not show",
        "orders",
    ),
    ("kind: table, table: gold.sales, metrics: orders, columns: [shop]", "GS110", "either rows", None),
    ("kind: bar, table: gold.sales, metrics: orders", "GS104", "A bar chart needs", None),
    ("kind: heatmap, table: gold.sales, metrics: orders, dimensions: shop", "GS110", "two dimensions", None),
    ("kind: map, table: gold.sales, metrics: orders, dimensions: shop", "GS104", "latitude", None),
    ("kind: gauge, table: gold.sales, metrics: orders", "GS103", "`gauge`", "Known: "),
    ("kind: number, table: gold.sales, metric: orders", "GS102", "`metric`", "`metrics`"),
]


@pytest.mark.parametrize(("text", "code", "message", "hint"), IN_DASHBOARD)
def test_invalid_chart_is_reported_with_its_line(
    project: Written, text: str, code: str, message: str, hint: str | None
) -> None:
    problem = mistakes(project({FILE: chart(text)}))[0]
    assert problem.code == code
    assert message in problem.message
    assert hint is None or hint in str(problem.hint)
    assert (str(problem.where.file)[-len(FILE) :], problem.where.line) == (FILE, 3)


def test_all_mistakes_are_reported_together(project: Written) -> None:
    text = DASHBOARD.replace("gold.sales.shop", "gold.sales.shp").replace("metrics: loads", "metrics: load")
    text = text.replace("title: Orders", "title: Shops").replace("width: 9", "width: 12")
    found = [(problem.code, problem.where.line) for problem in mistakes(project({FILE: text}))]
    assert found == [("GS203", 4), ("GS110", 6), ("GS105", 10), ("GS108", 11)]


def test_duplicate_dashboard_name_is_refused(project: Written) -> None:
    root = project({"pipelines/q/pipeline.yaml": "", "pipelines/q/dashboards/sales.yaml": DASHBOARD})
    assert [problem.code for problem in mistakes(root)] == ["GS105"]


@pytest.mark.parametrize(("name", "hint"), [("Sales-2", "lower-case"), ("more.yml", "more.yaml")])
def test_unsuitable_file_names_are_refused(project: Written, name: str, hint: str) -> None:
    file = name if "." in name else f"{name}.yaml"
    (problem,) = mistakes(project({f"pipelines/p/dashboards/{file}": DASHBOARD}))
    assert (problem.code, hint in str(problem.hint)) == ("GS109", True)


def test_dashboard_without_rows_is_refused(project: Written) -> None:
    (problem,) = mistakes(project({FILE: "title: T\nrows: []\n"}))
    assert (problem.code, problem.where.line, "at least one row" in problem.message) == ("GS103", 2, True)


METRICS = [
    ("SUM(paid)", None),
    ("COUNT_IF(paid > 1) / COUNT(*)", None),
    ("(UNIX_TIMESTAMP() - MAX(paid)) / 3600", None),
    ("PERCENTILE(paid, 0.5)", None),
    ("COUNT(DISTINCT shop)", None),
    ("paid", "GS110"),
    ("SUM(paid) / paid", "GS110"),
    ("SUM(payd)", "GS203"),
    ("SUM(paid) OVER ()", "GS110"),
    ("(SELECT MAX(paid) FROM gold.sales)", "GS110"),
    ("SUM(paid", "GS201"),
    ("SUM(paid) AS x", "GS201"),
    ("SUM(paid) FROM t", "GS201"),
]


@pytest.mark.parametrize(("expression", "code"), METRICS)
def test_metric_must_be_one_aggregate(expression: str, code: str | None) -> None:
    found = check_metric(expression, ["paid", "shop"])
    assert [problem.code for problem in found][:1] == ([code] if code else [])


def test_name_and_format_of_a_metric(project: Written) -> None:
    gold = "columns: {day: date}\nmetrics: {paid: SUM(paid), Total: SUM(paid)}\n"
    bronze = BRONZE + "metrics: {n: COUNT(*)}\n"
    root = project({TABLE: gold, "pipelines/p/bronze/o.yaml": bronze, FILE: chart(IN_DASHBOARD[0][0])})
    assert {problem.code for problem in mistakes(root)} >= {"GS105", "GS109", "GS110"}


def generated_assets(root: Path) -> dict[str, Any]:
    return {path: parsed(text) for path, text in generate(load_project(root)).items()}


def test_assets_of_a_project(project: Written) -> None:
    found = generated_assets(project())
    names = Names("shop")
    dataset = found["datasets/lakehouse/gold_sales.yaml"]
    assert [(c["column_name"], c["type"], c["is_dttm"]) for c in dataset["columns"]][:2] == [
        ("day", "DATE", True),
        ("shop", "STRING", False),
    ]
    assert [m["verbose_name"] for m in dataset["metrics"]] == ["Orders", "Paid"]
    assert dataset["metrics"][0]["extra"]["certification"]["certified_by"] == "sales"
    assert dataset["main_dttm_col"] == "day"
    dashboard = found["dashboards/sales.yaml"]
    cells = [part["meta"] for part in dashboard["position"].values() if "chartId" in str(part)]
    assert [(cell["sliceName"], cell["width"]) for cell in cells] == [
        ("Orders", 3),
        ("By day", 9),
        ("Shops", 6),
        ("Loads", 6),
    ]
    time, shop = dashboard["metadata"]["native_filter_configuration"]
    assert time["scope"]["excluded"] == [3, 4]
    assert shop["scope"]["excluded"] == [4]
    assert shop["targets"] == [{"column": {"name": "shop"}, "datasetUuid": dataset["uuid"]}]
    assert dashboard["metadata"]["chart_configuration"]["2"]["crossFilters"]["scope"]["excluded"] == [2, 4]
    for content in found.values():
        assert "uuid" not in content or names.is_ours(content["uuid"])
    assert {f"datasets/lakehouse/ops_{table.name}.yaml" for table in OPS_TABLES} <= found.keys()


def test_each_chart_has_one_dataset_and_one_query(project: Written) -> None:
    found = generated_assets(project())
    datasets = {each["uuid"] for path, each in found.items() if path.startswith("datasets/")}
    for path, each in found.items():
        if path.startswith("charts/"):
            assert each["dataset_uuid"] in datasets
            (query,) = json.loads(each["query_context"])["queries"]
            assert query["metrics"] or query["columns"]
            assert each["params"]["viz_type"] == each["viz_type"]


def test_superset_parameters_are_written_unchanged(project: Written) -> None:
    text = chart("kind: number, table: gold.sales, metrics: orders, params: {header_font_size: 0.6}")
    assert generated_assets(project({FILE: text}))["charts/sales/c.yaml"]["params"]["header_font_size"] == 0.6


def test_output_is_deterministic(project: Written) -> None:
    loaded = load_project(project())
    assert generate(loaded) == generate(load_project(loaded.root))


def test_folder_follows_the_declarations(project: Written) -> None:
    root = project()
    folder = root / "superset/assets"
    assets.write(folder, generate(load_project(root)))
    assert assets.differences(folder, generate(load_project(root))) == []
    project({FILE: DASHBOARD.replace("title: Orders", "title: All orders")})
    wanted = generate(load_project(root))
    kinds = {(each.path, each.kind) for each in assets.differences(folder, wanted)}
    assert ("charts/sales/orders.yaml", "left over") in kinds
    assert ("charts/sales/all_orders.yaml", "missing") in kinds
    assert ("dashboards/sales.yaml", "differs") in kinds
    assets.write(folder, wanted)
    assert assets.differences(folder, wanted) == []


def test_another_project_has_other_uuids() -> None:
    one, other = Names("one"), Names("other")
    assert one.uuid("chart", "a", "b") == one.uuid("chart", "a", "b")
    assert one.uuid("chart", "a", "b") != one.uuid("chart", "a/b")
    assert one.is_ours(one.uuid("dashboard", "a"))
    assert not other.is_ours(one.uuid("dashboard", "a"))


RAW = "pipelines/p/dashboards/raw"


def raw_chart(root: Path, **changed: Any) -> str:
    content = {
        **generated_assets(root)["charts/sales/orders.yaml"],
        "uuid": Names("shop").uuid("chart", "raw"),
        **changed,
    }
    return yaml.safe_dump({key: value for key, value in content.items() if value != "away"})


def test_superset_yaml_is_passed_through(project: Written) -> None:
    root = project()
    text = raw_chart(root, slice_name="By hand", viz_type="gauge_chart")
    found = generated_assets(project({f"{RAW}/charts/gauge.yaml": text}))
    assert found["charts/raw/p/gauge.yaml"]["viz_type"] == "gauge_chart"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"viz_type": "away"}, "`viz_type` is missing"),
        ({"uuid": "12"}, "not a UUID"),
        ({"uuid": "12345678-1234-4234-8234-123456789abc"}, "not one of this project"),
        ({"uuid": Names("shop").uuid("chart", "sales", "Orders")}, "already declared"),
        ({"dataset_uuid": Names("shop").uuid("dataset", "gold.gone")}, "not declared"),
    ],
)
def test_invalid_superset_yaml_is_refused(project: Written, changed: dict[str, Any], message: str) -> None:
    root = project()
    project({f"{RAW}/charts/gauge.yaml": raw_chart(root, **changed)})
    with pytest.raises(DeclarationErrors) as found:
        generate(load_project(root))
    problem = found.value.problems[0]
    assert (problem.code, message in problem.message) == ("GS724", True)
    assert str(problem.where.file).endswith("gauge.yaml")


def test_built_in_dashboards_use_existing_columns() -> None:
    check_built_in(load_project(REPOSITORY))


def test_assets_of_the_repository_are_current() -> None:
    assert assets.differences(REPOSITORY / "superset/assets", generate(load_project(REPOSITORY))) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"page": 0, "columns": ["id", "a.b"], "x": True, "y": None}, "(page:0,columns:!(id,a.b),x:!t,y:!n)"),
        ([1, 2], "!(1,2)"),
        ("it's a & b!", "'it!'s%20a%20%26%20b!!'"),
        ("", "''"),
        ("12", "'12'"),
    ],
)
def test_rison(value: Any, text: str) -> None:
    assert rison(value) == text


def test_bundle_is_deterministic(project: Written) -> None:
    loaded = load_project(project())
    one, other = bundle(generate(loaded)), bundle(dict(reversed(generate(loaded).items())))
    assert one == other


def test_missing_password_is_reported_before_any_request() -> None:
    with pytest.raises(NotReady) as refused:
        Server.of({"SUPERSET_URL": "http://127.0.0.1:8088"})
    assert refused.value.code == "GS904"
    assert "geheim" not in repr(Server.of({"SUPERSET_ADMIN_PASSWORD": "geheim"}))


@pytest.mark.parametrize(
    ("environment", "uri"),
    [
        ({}, None),
        ({"SPARK_THRIFT_USER": "ann", "SPARK_THRIFT_PASSWORD": "x"}, None),
        ({"SPARK_THRIFT_HOST": "thrift"}, "spark://analyst@thrift:10000/gold"),
        (
            {"SPARK_THRIFT_HOST": "thrift", "SPARK_THRIFT_PORT": "7", "SPARK_THRIFT_USER": "a@b"},
            "spark://a%40b@thrift:7/gold",
        ),
        (
            {"SPARK_THRIFT_HOST": "thrift", "SPARK_THRIFT_USER": "ann", "SPARK_THRIFT_PASSWORD": "p/w@:?"},
            "spark://ann:p%2Fw%40%3A%3F@thrift:10000/gold?auth=CUSTOM",
        ),
        (
            {"SPARK_THRIFT_HOST": "thrift", "SUPERSET_DATABASE_URI": "spark://other/gold"},
            "spark://other/gold",
        ),
    ],
)
def test_address_of_the_thrift_server_comes_from_the_environment(
    environment: dict[str, str], uri: str | None
) -> None:
    assert database_uri(environment) == uri


BANDED = "title: T\nrows:\n  - - {title: C, kind: bar, table: gold.sales, metrics: revenue, dimensions: shop, sort: -orders}\n"


def test_bars_can_be_sorted_by_a_hidden_metric(project: Written) -> None:
    root = project({FILE: BANDED})
    assert not mistakes(root)
    found = generated_assets(root)
    chart = next(asset for path, asset in found.items() if path.startswith("charts/sales/"))
    params = chart["params"]
    assert params["metrics"] == ["revenue"]
    assert (params["x_axis_sort"], params["x_axis_sort_asc"]) == ("orders", False)
    # With another label, Superset would draw it.
    dataset = found["datasets/lakehouse/gold_sales.yaml"]
    assert {each["metric_name"]: each["verbose_name"] for each in dataset["metrics"]} == {
        "orders": "orders",
        "revenue": "Paid",
    }
    assert params["timeseries_limit_metric"] == "orders"
    query = json.loads(chart["query_context"])["queries"][0]
    assert query["metrics"] == ["revenue", "orders"]
    assert query["orderby"] == [["orders", False]]


@pytest.mark.parametrize(
    ("form", "axis"),
    [(",d", ",.2~f"), (".1%", ".2~%"), (",.1f", ",.2~f"), ("SMART_NUMBER", "SMART_NUMBER"), (".2s", ".2s")],
)
def test_axis_has_the_decimals_of_its_ticks(form: str, axis: str) -> None:
    from goldsmith.publish.superset.charts import _axis_format

    assert _axis_format(form) == axis


def test_names_of_bands_contain_no_numbers() -> None:
    query = (REPOSITORY / "pipelines/flights/gold/weather_delay.sql").read_text(encoding="utf-8")
    assert "'under 10 mph'" in query
    assert "'1 under" not in query
