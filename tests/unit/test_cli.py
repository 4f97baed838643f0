"""The command without Spark: output and exit codes."""

from __future__ import annotations

import io
import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from goldsmith.cli.starter import make_pipeline
from goldsmith.project.loading import load_project
from support.command import Command, command

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def goldsmith(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    return command(monkeypatch, capsys)


def test_check_prints_the_number_of_tables(tmp_path: Path, goldsmith: Command) -> None:
    goldsmith("init", str(tmp_path / "shop"), folder=REPOSITORY)
    ended = goldsmith("check", folder=tmp_path / "shop")
    assert ended.code == 0
    assert "3 tables in 1 pipeline" in ended.out


def test_check_reports_all_mistakes_with_their_locations(tmp_path: Path, goldsmith: Command) -> None:
    goldsmith("init", str(tmp_path), folder=REPOSITORY)
    silver = tmp_path / "pipelines/orders/silver/orders.yaml"
    silver.write_text(silver.read_text().replace("newest_by", "newest_bye").replace("otherwise", "otherwize"))
    gold = tmp_path / "pipelines/orders/gold/orders_by_day.sql"
    gold.write_text(gold.read_text().replace("sum(amount)", "sum(amuont)"))
    ended = goldsmith("check", "--json", folder=tmp_path)
    assert ended.code == 2
    mistakes = json.loads(ended.out)["mistakes"]
    assert [(m["code"], Path(m["where"]["file"]).name) for m in mistakes].count(("GS102", "orders.yaml")) == 3
    assert any("`newest_by`" in (m["hint"] or "") for m in mistakes)


def test_misspelt_column_in_sql_is_reported_with_line_and_suggestion(
    tmp_path: Path, goldsmith: Command
) -> None:
    goldsmith("init", str(tmp_path), folder=REPOSITORY)
    gold = tmp_path / "pipelines/orders/gold/orders_by_day.sql"
    gold.write_text(gold.read_text().replace("sum(amount)", "sum(amuont)"))
    ended = goldsmith("check", folder=tmp_path)
    assert ended.code == 2
    assert "GS203" in ended.err
    assert "orders_by_day.sql:1:72" in ended.err.replace("\n", "")
    assert "Did you mean `amount`?" in ended.err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("feed", "run", "flights", "--from", "2013-01-05", "--to", "2013-01-02"), "GS505", "is empty"),
        (("run", "--from", "2013-01-05", "--to", "2013-01-05"), "GS505", "is empty"),
        (("run", "silver.departure"), "GS108", "Did you mean `silver.departures`?"),
        (("run", "--rebuild", "gold.nothing"), "GS108", "no table"),
        (("run", "--accept", "distance_to_be_betwen", "--why", "x"), "GS108", "Did you mean"),
        (("run", "--accept", "distance_to_be_between"), "GS504", "Add the reason"),
        (("run", "--accept", "distance_to_be_between", "--why", "x"), "GS504", "stops no load"),
        (("feed", "run", "flight"), "GS108", "Did you mean `flights`?"),
        (("--profile", "clutser", "plan"), "GS108", "profile"),
        (("plan", "--profile", "clutser"), "GS108", "profile"),
        (("plan", "silver", "--profile=clutser"), "GS108", "profile"),
        (("table", "show", "gold.x"), "GS108", "no table"),
        (("check", "--profile", "clutser"), "GS108", "Did you mean `cluster`?"),
        (("schema", "generate", "--profile", "clutser"), "GS108", "profile"),
        (("--profile", "clutser", "feed", "run", "flights"), "GS108", "profile"),
        (("superset", "generate", "--check", "--profile", "clutser"), "GS108", "profile"),
    ],
)
def test_wrong_call_is_reported_at_once(
    arguments: tuple[str, ...], code: str, message: str, goldsmith: Command
) -> None:
    ended = goldsmith(*arguments, folder=REPOSITORY)
    assert ended.code == 2, ended.err
    assert code in ended.err
    assert message in ended.err.replace("\n", " ")
    assert "Traceback" not in ended.err


def test_error_outside_a_project_names_init(tmp_path: Path, goldsmith: Command) -> None:
    ended = goldsmith("check", folder=tmp_path)
    assert ended.code == 2
    assert "GS100" in ended.err
    assert "goldsmith init" in ended.err


def test_init_does_not_overwrite_a_pipeline(tmp_path: Path, goldsmith: Command) -> None:
    assert goldsmith("init", str(tmp_path), folder=REPOSITORY).code == 0
    again = goldsmith("init", str(tmp_path), folder=REPOSITORY)
    assert again.code == 2
    assert "GS105" in again.err
    assert goldsmith("init", str(tmp_path), "--pipeline", "visits", folder=REPOSITORY).code == 0
    assert "6 tables in 2 pipelines" in goldsmith("check", folder=tmp_path).out


@pytest.mark.parametrize(
    "name", ["\U0001f600 \xe9", 'it\'s "a" \\', "a\tb\x7f", "\U000e0001", "\ufeff", "#: {x}"]
)
def test_init_creates_a_project_in_a_folder_of_any_name(tmp_path: Path, name: str) -> None:
    make_pipeline(tmp_path / name, "orders")
    project = load_project(tmp_path / name)
    assert project.spec.name == name
    assert len(project.tables) == 3


def test_init_uses_the_settings_of_an_existing_project(tmp_path: Path, goldsmith: Command) -> None:
    (tmp_path / "goldsmith.yaml").write_text("pipelines: flows\nprofiles: {local: {landing: inbox}}\n")
    (tmp_path / "flows").mkdir()
    assert goldsmith("init", str(tmp_path), folder=REPOSITORY).code == 0
    assert (tmp_path / "inbox/orders/2026-01-05.csv").is_file()
    assert "3 tables" in goldsmith("check", folder=tmp_path).out
    (tmp_path / "goldsmith.yaml").write_text("pipeline: flows\n")
    broken = goldsmith("init", str(tmp_path), "--pipeline", "visits", folder=REPOSITORY)
    assert broken.code == 2
    assert "Did you mean `pipelines`?" in broken.err


def test_missing_java_is_reported_with_the_required_version(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "goldsmith.cli.main", "spark", "install"],
        cwd=REPOSITORY,
        env={"PATH": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 4
    assert "GS901" in ended.stderr
    assert "JDK 17 or 21" in ended.stderr


def test_check_and_help_import_no_spark() -> None:
    code = (
        "import sys; from goldsmith.cli.main import app\n"
        "from goldsmith.cli.opening import open_project; open_project()\n"
        "sys.exit(any(m in sys.modules for m in ('pyspark', 'great_expectations', 'jinja2', 'pandas')))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=False).returncode == 0


def test_commands_that_only_look_start_no_spark(tmp_path: Path) -> None:
    code = (
        "import sys; from goldsmith.cli.main import app\n"
        "def call(*names):\n"
        "    try: app(list(names))\n"
        "    except SystemExit as end: assert not end.code, names\n"
        f"call('init', {str(tmp_path / 'shop')!r}, '--pipeline', 'orders')\n"
        f"project = ('--project', {str(tmp_path / 'shop')!r})\n"
        "for names in (['status'], ['quarantine', 'list'], ['quarantine', 'show', 'bronze.orders'], ['table', 'maintain']):\n"
        "    call(*project, *names)\n"
        "from goldsmith.run import idle, preview\n"
        "assert not [m for m in sys.modules if m.split('.')[0] in ('pyspark', 'delta', 'py4j')]\n"
        # Readers of formats, which see the columns of new files, import PySpark.
        "call(*project, 'plan')\n"
        "from pyspark import SparkContext\n"
        "assert SparkContext._gateway is None\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def test_help_imports_no_declarations() -> None:
    code = (
        "import sys; from goldsmith.cli.main import app\n"
        "try: app(['run', '--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit(any(m in sys.modules for m in ('sqlglot', 'yaml', 'goldsmith.project.models', 'webbrowser')))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=False).returncode == 0


def test_schemas_in_the_repository_are_current(goldsmith: Command) -> None:
    assert goldsmith("schema", "generate", "schema", "--check", folder=REPOSITORY).code == 0


def test_dry_run_of_submit_prints_a_shell_command(goldsmith: Command) -> None:
    ended = goldsmith(
        "job",
        "submit",
        "--profile",
        "local",
        "--dry-run",
        "examples/worst_days",
        "--top",
        "5",
        folder=REPOSITORY,
    )
    assert ended.code == 0, ended.err
    words = shlex.split(ended.out.replace("\\\n", " "))
    assert words[-3:] == [str(REPOSITORY / "jobs/examples/worst_days.py"), "--top", "5"]
    assert f"GOLDSMITH_PROJECT={REPOSITORY}" in words
    assert "GOLDSMITH_PROFILE=local" in words


def test_submit_of_an_unknown_job_lists_the_jobs(goldsmith: Command) -> None:
    ended = goldsmith("job", "submit", "--dry-run", "nosuch", folder=REPOSITORY)
    assert ended.code == 2
    assert "GS504" in ended.err
    assert "maintain.py" in ended.err


def test_landing_put_names_the_tables_that_read_the_file(tmp_path: Path, goldsmith: Command) -> None:
    goldsmith("init", str(tmp_path), folder=REPOSITORY)
    (tmp_path / "new.csv").write_text("order_id\n1\n")
    ended = goldsmith("landing", "put", "new.csv", "orders/", folder=tmp_path)
    assert ended.code == 0, ended.err
    assert "Read by bronze.orders." in ended.out
    assert (tmp_path / ".goldsmith/landing/orders/new.csv").read_text() == "order_id\n1\n"
    again = goldsmith("landing", "put", "new.csv", "orders/", folder=tmp_path)
    assert "delivered before" in again.out
    unread = goldsmith("landing", "put", "new.csv", "odrers/new.csv", folder=tmp_path)
    assert unread.code == 0
    assert "No table reads odrers/new.csv: bronze.orders reads orders/*.csv" in unread.err.replace("\n", " ")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("-", "orders/x.csv", "--size", "9"), "GS504"),
        (("-", "orders/"), "GS504"),
        (("none.csv", "orders/"), "GS504"),
        (("-", "../x.csv"), "GS308"),
    ],
)
def test_incomplete_delivery_or_path_outside_the_landing_folder_is_refused(
    tmp_path: Path,
    goldsmith: Command,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    code: str,
) -> None:
    goldsmith("init", str(tmp_path), folder=REPOSITORY)
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"cut")))
    ended = goldsmith("landing", "put", *arguments, folder=tmp_path)
    assert ended.code != 0
    assert code in ended.err
    assert sorted(tmp_path.rglob("*")) == before


def test_served_report_is_printed_with_its_url(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from goldsmith.cli.report import print_report_location, report_file

    own = tmp_path / ".goldsmith/report.html"
    for name in ("GOLDSMITH_REPORT_FILE", "GOLDSMITH_REPORT_URL"):
        monkeypatch.delenv(name, raising=False)
    assert report_file(tmp_path) == own
    monkeypatch.setenv("GOLDSMITH_REPORT_URL", "http://127.0.0.1:8089/")
    print_report_location(own, tmp_path)
    monkeypatch.setenv("GOLDSMITH_REPORT_FILE", str(tmp_path / "kept/report.html"))
    print_report_location(report_file(tmp_path), tmp_path)
    print_report_location(tmp_path / "weekly.html", tmp_path)
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"Report: {own}", "Report: http://127.0.0.1:8089/", f"Report: {tmp_path}/weekly.html"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "--restate"), "`--restate` is given without days."),
        (("run", "--restate", "--from", "2026-02-01"), "no chosen table is loaded by interval"),
    ],
)
def test_restating_needs_days_and_a_table_that_is_loaded_by_interval(
    tmp_path: Path, goldsmith: Command, arguments: tuple[str, ...], words: str
) -> None:
    goldsmith("init", str(tmp_path), folder=REPOSITORY)
    ended = goldsmith(*arguments, folder=tmp_path)
    assert ended.code == 2
    assert "GS504" in ended.err
    assert words in " ".join(ended.err.split())
