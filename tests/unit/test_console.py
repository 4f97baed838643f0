"""Output of the command: values as text, tables within the terminal's width, the last line of a run."""

from __future__ import annotations

import ast
import io
import sys
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

import goldsmith.cli
from goldsmith.cli import console
from goldsmith.cli.console import Terminal, print_error, print_warning, styled, table, visible
from goldsmith.cli.progress import print_result
from goldsmith.cli.status import print_status
from goldsmith.engine.delta.metadata import CommitMetadata, RowCounts, VerdictRecord
from goldsmith.errors import GoldsmithError, Where
from goldsmith.project.models import ProjectSpec
from goldsmith.run.outcome import RunResult, TableOutcome, limit_warning, rejected_rows, share, warning_of
from goldsmith.run.table_status import TableStatus

CONTROLS = "\x1b]8;;http://x\x07\r\x9b31m\u202e\u2028"


def printed(thing: object, width: int | None = None) -> str:
    terminal = Terminal()
    terminal.file = io.StringIO()
    if width is not None:
        terminal.width = width
    terminal.print(thing)
    return terminal.file.getvalue()


def test_control_characters_are_escaped() -> None:
    for code in range(sys.maxunicode + 1):
        sign = chr(code)
        is_control = unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Zl", "Zp")
        shown = visible(sign)
        if sign in "\n\u200c\u200d":
            assert shown == sign
        elif is_control:
            assert shown.startswith("\\"), f"{code:x}"
            shown.encode("ascii")
        elif unicodedata.category(sign) != "Cn":
            assert shown == sign, f"{code:x}"


@pytest.mark.parametrize(
    "thing",
    [
        f"a [red]b[/] :smile: {CONTROLS}",
        styled("a [red]b[/] :smile: ", (CONTROLS, "bold")),
        table(["n"], [[f"a [red]b[/] :smile: {CONTROLS}"]]),
        table([f"a [red]b[/] :smile: {CONTROLS}"], []),
        table(["n" * 99], [], title=f"a [red]b[/] :smile: {CONTROLS}"),
    ],
)
def test_text_is_printed_literally_everywhere(thing: object) -> None:
    shown = printed(thing)
    assert "[red]b[/] :smile:" in shown
    assert r"\x1b]8;;http://x\x07\r\x9b31m\u202e\u2028" in shown
    assert not any(unicodedata.category(sign) in ("Cc", "Cf", "Zl") for sign in shown.replace("\n", ""))


def test_errors_and_warnings_print_values_literally(capsys: pytest.CaptureFixture[str]) -> None:
    where = Where(file="x[1].csv", table=f"bronze.{CONTROLS}")
    print_error(GoldsmithError("GS302", f"[red]{CONTROLS}", where=where, hint=f"[bold]{CONTROLS}"))
    print_warning(f"[red]{CONTROLS}")
    err = capsys.readouterr().err
    assert "\x1b" not in err
    assert "x[1].csv" in err
    assert err.count("[red]\\x1b") == 2
    assert "[bold]\\x1b" in err


def test_values_are_one_line_and_not_rounded() -> None:
    values = [1234567, 0.123456789, Decimal("0E-18"), "a\nb\tc", b"\x00\xff", True, None]
    assert [console.cell(value, exact=True).plain for value in values] == [
        "1234567", "0.123456789", "0.000000000000000000", r"a\nb\tc", "X'00FF'", "true", "-",
    ]  # fmt: skip


def test_wide_rows_are_printed_with_one_column_per_line() -> None:
    columns = [f"a_column_{at}" for at in range(12)]
    rows = [[f"value {at} of row {row}" for at in range(12)] for row in (1, 2)]
    shown = "\n".join(printed(part, 80) for part in console.rows_within(80, columns, rows))
    lines = [line.split() for line in shown.splitlines()]
    assert ["Row", "2"] in lines
    assert ["a_column_11", "value", "11", "of", "row", "2"] in lines
    for width, some_columns, some_rows in (
        (80, columns[:4], [["x"] * 4]),
        (10_000, columns, rows),
        (80, columns, []),
    ):
        assert len(list(console.rows_within(width, some_columns, some_rows))) == 1


def test_pipe_gets_one_line_per_row() -> None:
    wide = table(["name", "text"], [["x", "word " * 200]])
    assert len(printed(wide).strip().splitlines()) == 2


def test_commands_print_no_markup() -> None:
    """Styles come from `styled`: markup in an f-string would be printed."""
    for file in Path(goldsmith.cli.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert "[/]" not in node.value, f"{file.name}:{node.lineno}"
            if isinstance(node, ast.ImportFrom | ast.Import) and file.name != "console.py":
                names = {alias.name for alias in node.names}
                assert not names & {"Console", "escape", "print"}, f"{file.name}:{node.lineno}"


AT = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
LONG = "silver.a_table_with_quite_a_long_name"
STATUSES = (
    TableStatus(
        "bronze.orders", "done", AT, "2026-01-05 to 2026-01-06", 31798, 0, 31798, 12, None, "Look at it."
    ),
    TableStatus(
        LONG,
        "failed",
        AT,
        None,
        None,
        None,
        0,
        3,
        "A message of so many words that it is longer than a line.",
    ),
    TableStatus("gold.orders_by_day", "never", None, None, None, None, 0, None, None),
)


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
def test_status_prints_one_line_per_table(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    terminal = Terminal()
    monkeypatch.setattr("goldsmith.cli.status.out", terminal)
    print_status(STATUSES)
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert len(lines) == 4 + 2
    assert all(len(line.rstrip()) <= width for line in lines[:4])
    assert lines[1].split()[:2] == ["bronze.orders", "done"]
    assert "31,798" in lines[1]
    assert (LONG if width >= 60 else "…") in lines[2]
    assert ("2026-01-05 09:30" in lines[1]) == (width >= 80)
    assert ("2026-01-05 to 2026-01-06" in lines[1]) == (width > 120)
    assert lines[-1] == "3 tables: 1 done, 1 failed, 1 never loaded. 31,798 rows in quarantine."
    assert f"! {LONG}: A message of so many words that it is longer than a line." in captured.err.splitlines()
    assert "! bronze.orders: Look at it." in captured.err.splitlines()


def outcome(name: str, *loads: RowCounts) -> TableOutcome:
    commits = tuple(
        CommitMetadata(name, "r", at, "first", "", counts=counts) for at, counts in enumerate(loads)
    )
    warning = warning_of(name, loads)
    return TableOutcome(name, "done", "1 new file", commits, warnings=(warning,) if warning else ())


def last_line(capsys: pytest.CaptureFixture[str], *outcomes: TableOutcome) -> str:
    print_result([RunResult("r", outcomes, 1.0)])
    return capsys.readouterr().out.strip().splitlines()[-1]


def test_last_line_counts_quarantined_rows(capsys: pytest.CaptureFixture[str]) -> None:
    whole = outcome("bronze.a", RowCounts(rows_in=10, written=10))
    some = outcome("silver.a", RowCounts(rows_in=1000, written=999, quarantined=1))
    assert last_line(capsys, whole) == "Done: 1 commit to 1 table in 1.0 s."
    line = last_line(capsys, whole, some)
    assert line == "Done: 2 commits to 2 tables in 1.0 s. silver.a 1 of 1,000 rows quarantined (0.1 %)."


def test_load_with_most_rows_rejected_is_not_reported_as_success(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lost = outcome("bronze.a", RowCounts(rows_in=31798, quarantined=31798))
    assert last_line(capsys, lost) == (
        "Done, but most rows of a load were not written: 1 commit to 1 table in 1.0 s. "
        "bronze.a 31,798 of 31,798 rows quarantined (100 %)."
    )
    dropped = outcome("bronze.a", RowCounts(rows_in=4, written=1, dropped=3))
    assert "bronze.a 3 of 4 rows dropped (75 %)" in last_line(capsys, dropped)
    # One bad load among good ones is reported, even if most rows of the run were written.
    mixed = outcome("bronze.a", RowCounts(rows_in=100, written=100), RowCounts(rows_in=2, quarantined=2))
    assert last_line(capsys, mixed).startswith("Done, but most rows of a load were not written:")
    assert mixed.warnings == (
        "2 of 2 rows quarantined (100 %). See why: `goldsmith quarantine show bronze.a`.",
    )


def test_load_above_its_limit_is_not_reported_as_success(capsys: pytest.CaptureFixture[str]) -> None:
    some = outcome("silver.a", RowCounts(rows_in=1000, written=900, quarantined=100))
    limit = ProjectSpec.model_validate(
        {"max_quarantined": {"share": "5%", "otherwise": "warn"}}
    ).max_quarantined
    assert limit is not None
    declared = limit.as_expectation()
    verdict = VerdictRecord(
        declared.name, declared.kind, "warn", declared.description, 1000, 100, "10 %", ok=False
    )
    exceeding = replace(some, commits=(replace(some.commits[0], verdicts=(verdict,)),))
    assert last_line(capsys, exceeding) == (
        "Done, but a load exceeded `max_quarantined`: 1 commit to 1 table in 1.0 s. "
        "silver.a 100 of 1,000 rows quarantined (10 %)."
    )
    assert limit_warning("silver.a", exceeding.commits) == (
        "100 of 1,000 rows quarantined (10 %), which exceeds `max_quarantined`. "
        "See why: `goldsmith quarantine show silver.a`."
    )
    assert limit_warning("silver.a", some.commits) is None


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        (RowCounts(), False),
        (RowCounts(rows_in=2, written=1, quarantined=1), False),
        (RowCounts(rows_in=3, written=1, quarantined=1, dropped=1), True),
        (RowCounts(rows_in=3, written=1, superseded=2), False),
    ],
)
def test_warning_requires_more_than_half_of_the_rows_rejected(counts: RowCounts, expected: bool) -> None:
    assert (warning_of("bronze.a", [counts]) is not None) == expected


def test_share_is_rounded_to_neither_0_nor_100_percent() -> None:
    assert [share(*pair) for pair in ((0, 5), (5, 5), (1, 100_000), (99_999, 100_000), (1, 3))] == [
        "0 %", "100 %", "0.1 %", "99.9 %", "33.3 %",
    ]  # fmt: skip
    assert rejected_rows(RowCounts(rows_in=4, quarantined=1, dropped=2)) == (
        "1 of 4 rows quarantined (25 %), 2 of 4 rows dropped (50 %)"
    )
