"""Cron expressions, schedules and other settings of a pipeline for its scheduler."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from textwrap import dedent
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from goldsmith.errors import DeclarationErrors
from goldsmith.project.cron import Cron
from goldsmith.project.loading import load_project, read_project
from goldsmith.project.models import PipelineSpec
from goldsmith.project.needed import load_needed
from goldsmith.publish.airflow.intervals import Days, days_of, first_run, key_format, last_key, reaches

UTC = ZoneInfo("UTC")


@pytest.mark.parametrize(
    ("text", "moment", "following"),
    [
        ("0 6 * * *", datetime(2013, 1, 1, 6), datetime(2013, 1, 2, 6)),
        ("*/15 * * * *", datetime(2013, 1, 1, 23, 45), datetime(2013, 1, 2)),
        ("0 0 * * mon-fri", datetime(2013, 1, 4), datetime(2013, 1, 7)),
        ("0 0 * * 7", datetime(2013, 1, 4), datetime(2013, 1, 6)),
        ("0 0 29 2 *", datetime(2013, 1, 1), datetime(2016, 2, 29)),
        # Both days are restricted: either matches, as in every cron.
        ("0 0 13 * fri", datetime(2013, 1, 11), datetime(2013, 1, 13)),
        ("@monthly", datetime(2013, 1, 31, 12), datetime(2013, 2, 1)),
        ("30 8,20 1-7/3 * *", datetime(2013, 1, 1, 20, 30), datetime(2013, 1, 4, 8, 30)),
    ],
)
def test_cron_names_the_next_time(text: str, moment: datetime, following: datetime) -> None:
    assert Cron.parse(text).after(moment) == following


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 6 * *", "has 4"),
        ("61 * * * *", "`61` is no minute: it is 0 to 59"),
        ("0 0 * 13 *", "`13` is no month: it is 1 to 12"),
        ("0 0 31 2 *", "names no day that exists"),
        ("@dayly", "there is @hourly"),
        ("*/0 * * * *", "`*/0` is no minute"),
        ("0 0 * * xyz", "`xyz` is no weekday"),
    ],
)
def test_invalid_cron_is_reported(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("*", r"\*")):
        Cron.parse(text)


def test_partition_covers_the_days_up_to_the_next_time() -> None:
    daily, weekly, hourly = (Cron.parse(text) for text in ("0 6 * * *", "0 6 * * mon", "0 * * * *"))
    assert days_of("2013-01-01", daily) == Days(date(2013, 1, 1), date(2013, 1, 2))
    assert days_of("2013-01-07", weekly) == Days(date(2013, 1, 7), date(2013, 1, 14))
    assert days_of("2013-01-01T05:00", hourly) == Days(date(2013, 1, 1), date(2013, 1, 2))
    assert (key_format(daily), key_format(hourly)) == ("%Y-%m-%d", "%Y-%m-%dT%H:%M")


def test_first_run_covers_the_first_day() -> None:
    assert first_run(date(2013, 1, 1), Cron.parse("0 6 * * *"), UTC) == datetime(2013, 1, 2, 6, tzinfo=UTC)
    assert first_run(date(2013, 1, 1), Cron.parse("0 6 * * mon"), UTC) == datetime(2013, 1, 14, 6, tzinfo=UTC)


def test_manual_run_belongs_to_its_last_partition() -> None:
    days = Days(date(2013, 1, 1), date(2013, 1, 31))
    assert last_key(days, Cron.parse("0 6 * * *")) == "2013-01-30"
    assert last_key(days, Cron.parse("@monthly")) == "2013-01-01"
    assert last_key(Days(date(2013, 1, 2), date(2013, 1, 3)), Cron.parse("@monthly")) is None


def test_load_reaches_the_end_of_an_interval() -> None:
    days, hourly = Days(date(2013, 1, 1), date(2013, 1, 3)), Cron.parse("@hourly")
    at = datetime(2013, 1, 3, 1, tzinfo=UTC)
    assert reaches(days, "2013-01-02T03:00", at, hourly)
    assert not reaches(days, "2013-01-01T03:00", at, hourly)
    assert reaches(days, None, at, None)
    assert not reaches(days, None, at - timedelta(days=1), None)


def test_durations_have_units() -> None:
    assert PipelineSpec.model_validate({"timeout": "90m"}).timeout == timedelta(minutes=90)
    with pytest.raises(ValidationError, match="write 90s, 45m, 2h or 1d"):
        PipelineSpec.model_validate({"timeout": "soon"})


def project(folder: Path, pipelines: dict[str, str], **more: str) -> Path:
    """A project with a bronze table in each of these pipelines."""
    files = {"goldsmith.yaml": "", **more}
    for name, settings in pipelines.items():
        files[f"pipelines/{name}/pipeline.yaml"] = settings
        files[f"pipelines/{name}/bronze/{name}.yaml"] = (
            f'source: {{files: "{name}/*.csv", format: csv}}\ncolumns: {{id: int}}\n'
        )
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text))
    return folder


@pytest.mark.parametrize(
    ("settings", "code", "line"),
    [
        ("owner: me\nschedule: 0 6 * *\n", "GS103", 2),
        ("schedule: {after: [bronze.nothing]}\n", "GS108", 1),
        ("schedule: {after: [bronze.a]}\n", "GS110", 1),
        ("schedule: {cron: '@daily', timezone: Europe/Atlantis}\n", "GS103", 1),
        ("schedule: {}\n", "GS103", 1),
        ("pool: sparc\n", "GS108", 1),
        ("catchup: true\n", "GS110", 1),
        ("deadline: 2h\n", "GS110", 1),
        ("owner: me\nalerts: ['https://chat.example/key']\n", "GS103", 2),
        ("tasks: tables\n", "GS103", 1),
    ],
)
def test_mistakes_have_a_location(tmp_path: Path, settings: str, code: str, line: int) -> None:
    with pytest.raises(DeclarationErrors) as caught:
        load_project(project(tmp_path, {"a": settings, "b": ""}))
    [problem] = caught.value.problems
    assert (problem.code, problem.where.line) == (code, line)
    assert str(problem.where.file).endswith("a/pipeline.yaml")
    assert problem.hint


def test_pipelines_scheduled_after_each_other_are_a_cycle(tmp_path: Path) -> None:
    root = project(tmp_path, {"a": "schedule: {after: bronze.b}\n", "b": "schedule: {after: bronze.a}\n"})
    with pytest.raises(DeclarationErrors, match="GS107"):
        load_project(root)


def test_mutually_dependent_layers_cannot_be_tasks(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        {"a": "tasks: layer\n"},
        **{
            "pipelines/a/gold/sums.yaml": "",
            "pipelines/a/gold/sums.sql": "SELECT count(*) AS n FROM silver.ids",
            "pipelines/a/silver/ids.yaml": "",
            "pipelines/a/silver/ids.sql": "SELECT id FROM bronze.a",
            "pipelines/a/silver/back.yaml": "",
            "pipelines/a/silver/back.sql": "SELECT n FROM gold.sums",
        },
    )
    with pytest.raises(DeclarationErrors) as caught:
        load_project(root)
    assert "silver" in caught.value.problems[0].message


def test_mistakes_in_unneeded_pipelines_are_ignored(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        {"a": "", "b": "", "c": "pol: spark\n"},
        **{"pipelines/b/silver/b.yaml": "", "pipelines/b/silver/b.sql": "SELECT id FROM bronze.a"},
    )
    found, ignored = load_needed(root, ["b"])
    assert set(found.tables) == {"bronze.a", "bronze.b", "silver.b"}
    assert [problem.code for problem in ignored] == ["GS102"]
    with pytest.raises(DeclarationErrors):
        load_needed(root, ["c"])
    with pytest.raises(DeclarationErrors):
        load_needed(root, [])


def test_graph_excludes_invalid_tables(tmp_path: Path) -> None:
    root = project(tmp_path, {"a": "", "b": ""}, **{"pipelines/b/bronze/b.yaml": "source: [\n"})
    # Replace the generated declaration.
    (root / "pipelines/b/bronze/b.yaml").write_text("source: [\n")
    reading = read_project(root)
    assert (set(reading.project.tables), reading.broken) == ({"bronze.a"}, {"bronze.b"})
    assert [problem.where.line for problem in reading.problems] == [2]
