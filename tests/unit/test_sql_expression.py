"""Standalone conditions, as in `delete_when`."""

from __future__ import annotations

import pytest

from goldsmith.project.sql.statement import check_expression

COLUMNS = ("carrier", "arr_delay", "dep_time", "tags", "plane", "user")


@pytest.mark.parametrize(
    "condition",
    [
        "arr_delay IS NULL OR dep_time IS NOT NULL",
        "CARRIER IN ('AA', 'UA') -- big ones",
        "exists(tags, tag -> tag = carrier)",
        "plane.engine.kind = 'jet'",
        "carrier RLIKE '^[A-Z0-9]{2}$' AND `arr_delay` > -100",
        "user = 'x'",
        "CASE WHEN arr_delay > 0 THEN dep_time ELSE 1 END = 1",
    ],
)
def test_valid_condition_has_no_problems(condition: str) -> None:
    assert check_expression(condition, COLUMNS) == ()


@pytest.mark.parametrize(
    ("condition", "code", "location"),
    [
        ("arr_delay >", "GS201", (1, 11)),
        ("", "GS201", (1, 1)),
        ("arr_delay > 1, dep_time", "GS201", (1, 1)),
        ("arr_delay > 1 FROM bronze.x", "GS201", (1, 1)),
        ("arr_delay AS a", "GS201", (1, 1)),
        ("arr_delay > 1; DROP TABLE x", "GS201", (1, 16)),
        ("arr_delay > 1 AND\n  arr_dela < 2", "GS203", (2, 3)),
        ("exists(tags, tag -> tag = carier)", "GS203", (1, 27)),
        ("dep_time < now()", "GS205", (1, 12)),
        ("rand() < 0.5", "GS205", (1, 1)),
        ("arr_delay > avg(arr_delay)", "GS110", (1, 13)),
        ("row_number() OVER (ORDER BY dep_time) = 1", "GS110", (1, 1)),
    ],
)
def test_each_problem_has_its_code_and_location(condition: str, code: str, location: tuple[int, int]) -> None:
    (problem,) = check_expression(condition, COLUMNS)
    assert problem.code == code
    assert (problem.where.line, problem.where.column) == location


def test_subquery_is_refused() -> None:
    (problem,) = check_expression("carrier IN (SELECT carrier FROM silver.c)", COLUMNS)
    assert problem.code == "GS110"


def test_similar_column_is_suggested() -> None:
    (problem,) = check_expression("arr_dealy > 1", COLUMNS)
    assert problem.hint == "Did you mean `arr_delay`?"


def test_columns_are_not_checked_if_unknown() -> None:
    assert check_expression("anything > 1", None) == ()
