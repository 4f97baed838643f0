"""Shrinks a failing case while it fails in the same way, and writes it as a readable folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlglot
from sqlglot import exp

from differential.case import Case
from differential.failing import Failed
from differential.folder import write_folder

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Plays = Callable[[Case], Failed | None]
Smaller = Iterator[Case]


@dataclass
class Shrinking:
    """A search for a smaller case. tried: the number of played cases."""

    case: Case
    failed: Failed
    tried: int = 0


def shrink(case: Case, failed: Failed, plays: Plays, *, seconds: float) -> Shrinking:
    """Removes parts of the case while it fails with the same kind. plays: runs a case."""
    until = time.monotonic() + seconds
    best = Shrinking(case, failed)
    again = True
    while again and time.monotonic() < until:
        again = False
        for reduce in (
            _without_steps,
            _without_tables,
            _without_records,
            _simpler_declarations,
            _simpler_sql,
        ):
            again |= _reduced(best, reduce, plays, until)
    return best


def _reduced(best: Shrinking, reduce: Callable[[Case], Smaller], plays: Plays, until: float) -> bool:
    """Applies one reduction until it finds no smaller case."""
    found = False
    progress = True
    while progress and time.monotonic() < until:
        progress = False
        for smaller in reduce(best.case):
            if time.monotonic() > until:
                break
            best.tried += 1
            failed = plays(smaller)
            if failed is not None and failed.kind == best.failed.kind:
                best.case, best.failed = smaller, failed
                found = progress = True
                break
    return found


def _without_steps(case: Case) -> Smaller:
    """Without half of the steps, a quarter, then each one; then without an interrupt."""
    size = len(case.steps)
    chunk = size // 2
    while chunk >= 1:
        for start in range(size - chunk, -1, -chunk):
            smaller = case.copy()
            del smaller.steps[start : start + chunk]
            yield smaller
        chunk //= 2
    for at, step in enumerate(case.steps):
        for key in ("interrupt", "accept", "tables", "again"):
            if key in step:
                smaller = case.copy()
                del smaller.steps[at][key]
                yield smaller


def _without_tables(case: Case) -> Smaller:
    """Without a table that no other reads, and without its steps."""
    for name in reversed(case.tables):
        smaller = case.copy()
        del smaller.tables[name]
        smaller.steps = [step for step in smaller.steps if step.get("table") != name]
        if not any(name in _texts(declared) for _, declared in smaller.declarations()):
            for step in smaller.steps:
                if step.get("interrupt", {}).get("table") == name:
                    del step["interrupt"]
            yield smaller


def _texts(declared: Any) -> str:
    return f"{declared.yaml} {declared.sql}"


def _without_records(case: Case) -> Smaller:
    """Without half of a delivery's rows, then each one."""
    for at, step in enumerate(case.steps):
        if step["do"] != "deliver":
            continue
        size = len(step["records"])
        chunk = max(size // 2, 1)
        while chunk >= 1 and size:
            for start in range(0, size, chunk):
                smaller = case.copy()
                del smaller.steps[at]["records"][start : start + chunk]
                yield smaller
            chunk //= 2


def _declared(case: Case) -> Iterator[Callable[[Case], dict[str, Any]]]:
    """Functions that return each declaration in a copy of the case."""
    for name in case.tables:
        yield lambda copy, name=name: vars(copy.tables[name])
    for at, step in enumerate(case.steps):
        if step["do"] == "declare":
            yield lambda copy, at=at: copy.steps[at]["as"]


def _simpler_declarations(case: Case) -> Smaller:
    """Without an expectation, a key, a column of the load, a column of the files."""
    for reach in _declared(case):
        yaml = reach(case)["yaml"]
        for at in range(len(yaml.get("expectations", ()))):
            smaller = case.copy()
            del reach(smaller)["yaml"]["expectations"][at]
            yield smaller
        for key in yaml:
            if key not in ("source", "load", "expectations") and not ("source" in yaml and key == "columns"):
                smaller = case.copy()
                del reach(smaller)["yaml"][key]
                yield smaller
        load = yaml.get("load")
        for kind, arguments in load.items() if isinstance(load, dict) else ():
            for key, value in arguments.items():
                if key in ("newest_by", "delete_when"):
                    smaller = case.copy()
                    del reach(smaller)["yaml"]["load"][kind][key]
                    yield smaller
                elif isinstance(value, list) and len(value) > 1:
                    for at in range(len(value)):
                        smaller = case.copy()
                        del reach(smaller)["yaml"]["load"][kind][key][at]
                        yield smaller


def _simpler_sql(case: Case) -> Smaller:
    """SQL without one of its parts."""
    for reach in _declared(case):
        sql = reach(case)["sql"]
        for simpler in reductions(sql) if sql else ():
            smaller = case.copy()
            reach(smaller)["sql"] = simpler
            yield smaller


def reductions(sql: str) -> Iterator[str]:
    """The statement without a clause, join, column or arm of a union, or with an operation's operand."""
    count = sum(1 for _ in sqlglot.parse_one(sql, read="spark").walk())
    seen = {sql}
    for at in range(count):
        for change in (_drop_clause, _first_operand, _second_operand):
            tree = sqlglot.parse_one(sql, read="spark")
            node = next(node for position, node in enumerate(tree.walk()) if position == at)
            try:
                changed = change(tree, node)
            except (ValueError, TypeError, AttributeError):
                continue
            if changed is None:
                continue
            text = changed.sql(dialect="spark")
            if text not in seen and len(text) < len(sql):
                seen.add(text)
                yield text


def _drop_clause(tree: exp.Expression, node: exp.Expression) -> exp.Expression | None:
    of_select = isinstance(node.parent, exp.Select) and node.arg_key in ("expressions", "joins", "laterals")
    if isinstance(node, exp.Where | exp.Having | exp.Distinct | exp.With) or of_select:
        if node.arg_key == "expressions" and len(node.parent.expressions) == 1:
            return None
        node.pop()
        return tree
    return None


def _first_operand(tree: exp.Expression, node: exp.Expression) -> exp.Expression | None:
    return _operand(tree, node, "this")


def _second_operand(tree: exp.Expression, node: exp.Expression) -> exp.Expression | None:
    return _operand(tree, node, "expression")


def _operand(tree: exp.Expression, node: exp.Expression, key: str) -> exp.Expression | None:
    inner = node.args.get(key)
    wide = exp.Binary | exp.Func | exp.SetOperation | exp.Paren | exp.Not | exp.Unary
    if not isinstance(node, wide) or not isinstance(inner, exp.Expression):
        return None
    if node is tree:
        return inner
    node.replace(inner.copy())
    return tree


def shrink_to_folder(
    spark: SparkSession, case: Case, into: Path, *, seconds: float, failed: Failed | None = None
) -> Path:
    """Shrinks a failing case, writes it as a folder, and returns the folder."""
    from differential.running import run_case

    def plays(smaller: Case) -> Failed | None:
        return run_case(spark, smaller).failed

    found = failed or plays(case)
    if found is None:
        raise ValueError(f"seed {case.seed} does not fail")
    best = shrink(case, found, plays, seconds=seconds)
    return write_folder(best.case, best.failed, into / f"seed-{case.seed}")
