"""Tables with an extract: rows and state are committed together, whatever happens in between."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from goldsmith.engine.delta.log import TableLog
from goldsmith.errors import SourceError
from goldsmith.run import attempt
from goldsmith.run.context import DataInterval
from goldsmith.run.runner import run_tables
from support.lake import Lake

COUNTING = """
import json

def numbers(*, interval, state, folder):
    last = state["last"] if state else 0
    end = json.loads(open({end!r}).read())
    if last < end:
        lines = [json.dumps({{"id": n, "days": str(interval and interval.days[0])}}) for n in range(last + 1, end + 1)]
        (folder / "numbers.json").write_text("\\n".join(lines))
    return {{"last": end}}
"""
TABLE = "source: {extract: 'source:numbers', format: json}\ncolumns: {id: int, days: string}\n"


@pytest.fixture
def counting(lake: Lake) -> Callable[[int], None]:
    """A table that asks for the numbers up to an end, which the returned function sets."""
    end = lake.root / "end.json"
    lake.declare("bronze.n", TABLE)
    lake.write("pipelines/p/source.py", COUNTING.format(end=str(end)))

    def set_end(value: int) -> None:
        end.write_text(str(value))

    set_end(2)
    return set_end


def ids(lake: Lake) -> list[int]:
    return [row[0] for row in lake.rows("bronze.n", "id")]


def state(lake: Lake) -> Any:
    log = TableLog(lake.path("bronze.n"))
    bookmark = log.bookmark(log.state())
    assert bookmark is not None
    assert bookmark.metadata.pulled is not None
    return bookmark.metadata.pulled.state


def staged(lake: Lake) -> list[str]:
    folder = lake.root / ".goldsmith/landing/_extracts/bronze.n"
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def test_each_call_continues_where_the_last_commit_ended(lake: Lake, counting: Callable[[int], None]) -> None:
    lake.declare("silver.n", "load: append", "SELECT id FROM bronze.n")
    assert lake.done()["bronze.n"].counts.written == 2
    assert lake.done()["bronze.n"].status == "nothing_new"
    assert lake.version("bronze.n") == 0
    counting(5)
    done = lake.done()
    assert done["bronze.n"].reason == "1 file of extract source:numbers"
    assert (done["bronze.n"].counts.written, done["silver.n"].counts.written) == (3, 3)
    assert ids(lake) == [1, 2, 3, 4, 5]
    assert state(lake) == {"last": 5}
    files = lake.table("bronze.n").select("_source_file").distinct().count()
    assert files == len(staged(lake)) == 2
    # The state is kept by other commits.
    counting(6)
    lake.table("bronze.n").sparkSession.sql(f"OPTIMIZE delta.`{lake.path('bronze.n')}`")
    lake.done()
    assert ids(lake) == [1, 2, 3, 4, 5, 6]


def test_state_without_rows_is_committed(lake: Lake, counting: Callable[[int], None]) -> None:
    lake.done()
    counting(1)
    outcome = lake.done()["bronze.n"]
    assert (outcome.status, outcome.counts.rows_in) == ("done", 0)
    assert state(lake) == {"last": 1}
    assert lake.idle() is None


def test_failed_load_asks_again_from_the_former_state(
    lake: Lake, counting: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.done()
    counting(4)
    for at in ("judged_slice", "write"):
        with monkeypatch.context() as patched:
            patched.setattr(attempt, at, _broken)
            lake.failed("bronze.n")
        assert ids(lake) == [1, 2]
        assert len(staged(lake)) == 2
    lake.done()
    assert ids(lake) == [1, 2, 3, 4]
    assert [name.split("-")[0] for name in staged(lake)] == ["1", "2"]


def _broken(*_arguments: object, **_options: object) -> None:
    raise OSError("broken")


def test_restored_table_continues_from_its_state(lake: Lake, counting: Callable[[int], None]) -> None:
    lake.done()
    counting(4)
    lake.done()
    lake.spark.sql(f"RESTORE delta.`{lake.path('bronze.n')}` TO VERSION AS OF 0")
    counting(5)
    lake.done()
    assert ids(lake) == [1, 2, 3, 4, 5]


def test_interval_is_passed_to_the_function(lake: Lake, counting: Callable[[int], None]) -> None:
    run = lake.begin(interval=DataInterval(date(2026, 1, 5), date(2026, 1, 6)))
    run_tables(lake.spark, run, ["bronze.n"], parallel=1)
    counting(3)
    lake.done()
    assert lake.rows("bronze.n", "id", "days") == [(1, "2026-01-05"), (2, "2026-01-05"), (3, "None")]


def test_rebuild_reads_the_staged_files_and_does_not_ask(lake: Lake, counting: Callable[[int], None]) -> None:
    lake.done()
    counting(4)
    lake.done()
    counting(9)
    lake.declare("bronze.n", TABLE.replace("id: int", "id: bigint"))
    assert lake.done(rebuild=["bronze.n"])["bronze.n"].counts.written == 4
    assert dict(lake.table("bronze.n").dtypes)["id"] == "bigint"
    assert state(lake) == {"last": 4}
    lake.done()
    assert ids(lake) == list(range(1, 10))
    next((lake.root / ".goldsmith/landing/_extracts/bronze.n").rglob("*.json")).unlink()
    error = lake.failed("bronze.n", rebuild=["bronze.n"]).error
    assert error is not None
    assert error.code == "GS306"


@pytest.mark.parametrize(
    ("body", "message", "retryable"),
    [
        ("raise ValueError('no such column')", "failed: ValueError: no such column", False),
        ("raise ConnectionError('refused')", "failed: ConnectionError: refused", True),
        ("raise SystemExit('enough')", "failed: SystemExit: enough", False),
        ("return {folder}", "returned a state that is not JSON", False),
        ("return float('nan')", "returned a state that is not JSON", False),
        ("return interval.days", "failed: AttributeError", False),
    ],
)
def test_error_of_the_function_names_its_line(lake: Lake, body: str, message: str, retryable: bool) -> None:
    lake.declare("bronze.n", TABLE)
    lake.write("pipelines/p/source.py", f"def numbers(*, interval, state, folder):\n    {body}\n")
    error = lake.failed("bronze.n").error
    assert isinstance(error, SourceError)
    assert (error.code, error.retryable) == ("GS309", retryable)
    assert message in error.message
    assert error.where is not None
    assert Path(str(error.where.file)).name == "source.py"
    if "failed" in message:
        assert error.where.line == 2
    assert staged(lake) == []


def test_ignored_names_are_not_loaded_and_folders_are(lake: Lake) -> None:
    lake.declare("bronze.n", TABLE)
    lake.write(
        "pipelines/p/source.py",
        """
        def numbers(*, interval, state, folder):
            for name in ("a.json", "_b.json", ".c.json", "d.json.tmp", "e/f.json", "_g/h.json"):
                (folder / name).parent.mkdir(exist_ok=True)
                (folder / name).write_text('{"id": 1}')
        """,
    )
    lake.done()
    assert [row[0].rpartition("/")[2] for row in lake.rows("bronze.n", "_source_file")] == [
        "a.json",
        "f.json",
    ]


def test_table_without_rows_is_created_once_columns_are_declared(lake: Lake) -> None:
    lake.declare("bronze.n", TABLE)
    lake.declare("bronze.m", TABLE.partition("\n")[0])
    lake.declare("silver.n", "", "SELECT id FROM bronze.n")
    lake.write("pipelines/p/source.py", "def numbers(*, interval, state, folder):\n    return None\n")
    done = lake.done()
    assert done["bronze.m"].reason == "extract source:numbers has nothing new"
    assert ids(lake) == lake.rows("silver.n") == []
    assert lake.done()["bronze.n"].status == "nothing_new"


def test_killed_process_leaves_no_row_twice(lake: Lake, counting: Callable[[int], None]) -> None:
    file = lake.root / "pipelines/p/source.py"
    killing = "\n    import os, pathlib, signal\n    mark = pathlib.Path(__file__).with_name('killed')\n"
    killing += (
        "    if not mark.exists():\n        mark.touch()\n        os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    file.write_text(
        file.read_text().replace('    return {"last": end}', killing + '    return {"last": end}')
    )
    command = [sys.executable, "-m", "goldsmith.cli.main", "run"]
    killed = subprocess.run(command, cwd=lake.root, env=dict(os.environ), capture_output=True, check=False)
    assert killed.returncode == -9
    lake.done()
    assert ids(lake) == [1, 2]
    assert len(staged(lake)) == 1


def test_table_of_another_program_is_replaced_on_request(lake: Lake, counting: Callable[[int], None]) -> None:
    lake.spark.range(3).write.format("delta").save(lake.path("bronze.n"))
    error = lake.failed("bronze.n").error
    assert error is not None
    assert error.code == "GS406"
    assert lake.done(rebuild=["bronze.n"])["bronze.n"].commits[0].mode == "rebuild"
    assert ids(lake) == [1, 2]
    counting(3)
    lake.done()
    assert ids(lake) == [1, 2, 3]


def test_state_that_the_function_changes_in_place_is_committed(lake: Lake) -> None:
    lake.declare("bronze.n", TABLE)
    lake.write(
        "pipelines/p/source.py",
        """
        def numbers(*, interval, state, folder):
            state = state or {"calls": 0}
            state["calls"] += 1
            return state
        """,
    )
    for calls in (1, 2):
        lake.done()
        assert state(lake) == {"calls": calls}


def test_other_folders_beside_staged_files_stay(lake: Lake, counting: Callable[[int], None]) -> None:
    for name in ("notes", "9-of-a-deleted-table"):
        (lake.root / f".goldsmith/landing/_extracts/bronze.n/{name}").mkdir(parents=True)
    lake.done()
    assert {"notes", "9-of-a-deleted-table"} <= set(staged(lake))
    counting(3)
    lake.done()
    assert ids(lake) == [1, 2, 3]
    assert "notes" in staged(lake)
