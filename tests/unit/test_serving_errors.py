"""The messages of `make sql` for failed statements."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

error_message = runpy.run_path(str(Path(__file__).parents[2] / "spark" / "serving.py"))["error_message"]

STACK = "\n\tat org.apache.spark.sql.hive.thriftserver.HiveThriftServerErrors$.runningQueryError(X.scala:44)"
NAMED = "Error running query: [{0}] org.apache.spark.sql.catalyst.ExtendedAnalysisException: [{0}] "


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (
            NAMED.format("TABLE_OR_VIEW_NOT_FOUND")
            + "The table or view `gold`.`dayly` cannot be found. Verify the spelling; line 1 pos 14;\n"
            "'Project [*]\n+- 'UnresolvedRelation [gold, dayly], [], false\n" + STACK,
            "[TABLE_OR_VIEW_NOT_FOUND] The table or view `gold`.`dayly` cannot be found. Verify the spelling;"
            " line 1 pos 14",
        ),
        (
            NAMED.format("UNRESOLVED_COLUMN.WITH_SUGGESTION") + "A column `x` cannot be resolved."
            " Did you mean `y`? SQLSTATE: 42703; line 1 pos 7;\nAggregate [x]\n+- Range (0, 1)\n" + STACK,
            "[UNRESOLVED_COLUMN.WITH_SUGGESTION] A column `x` cannot be resolved."
            " Did you mean `y`? SQLSTATE: 42703; line 1 pos 7",
        ),
        (
            NAMED.format("PARSE_SYNTAX_ERROR")
            + "Syntax error at or near 'SELEC'. (line 1, pos 0)\n\n== SQL ==\nSELEC 1;\n^^^\n"
            + STACK,
            "[PARSE_SYNTAX_ERROR] Syntax error at or near 'SELEC'. (line 1, pos 0)\n\n== SQL ==\nSELEC 1;\n^^^",
        ),
        ("Why not?", "Why not?"),
    ],
)
def test_error_is_shown_without_plan_and_stack(message: str, shown: str) -> None:
    assert error_message(RuntimeError(message)) == shown
