"""Prints the progress and the result of a run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.status import Status
from rich.text import Text

from goldsmith.cli.console import (
    error_as_dict,
    out,
    plural,
    print_error,
    print_warning,
    print_warnings,
    styled,
    table,
)
from goldsmith.errors import Exit

if TYPE_CHECKING:
    from goldsmith.engine.delta.metadata import CommitMetadata, RowCounts
    from goldsmith.run.outcome import RunResult, TableOutcome
    from goldsmith.run.runner import Listener

_MARKS = {
    "done": ("✓", "green"),
    "nothing_new": ("·", "dim"),
    "gate": ("■", "red"),
    "failed": ("✗", "red"),
    "skipped": ("-", "yellow"),
}


@contextmanager
def live_progress(*, quiet: bool) -> Iterator[Listener]:
    """A listener that prints each table's outcome and, on a terminal, the tables that are loading."""
    if quiet:
        yield lambda _name, _outcome: None
        return
    lock, running = threading.Lock(), dict[str, None]()
    status = Status("", console=out) if out.is_terminal else None

    def listen(name: str, outcome: TableOutcome | None) -> None:
        with lock:
            if outcome is None:
                running[name] = None
            else:
                running.pop(name, None)
                if outcome.status != "nothing_new":
                    out.print(_line(outcome), soft_wrap=True)
            if status is not None:
                status.update(styled("Loading " + ", ".join(running) if running else "Recording"))

    if status is None:
        yield listen
        return
    with status:
        yield listen


def _line(outcome: TableOutcome) -> Text:
    text = outcome.reason if outcome.status != "failed" or outcome.error is None else outcome.error.code
    parts: list[str | tuple[str, str]] = [_MARKS[outcome.status], f" {outcome.table:<28} {text}"]
    if outcome.status == "done":
        counts = outcome.counts
        parts.append(f": {plural(counts.written, 'row')} written")
        if counts.quarantined:
            parts += [", ", (f"{counts.quarantined:,} quarantined", "yellow")]
        if counts.dropped:
            parts.append(f", {counts.dropped:,} dropped")
    if outcome.seconds:
        parts.append((f" {outcome.seconds:.1f} s", "dim"))
    return styled(*parts)


def print_result(results: Sequence[RunResult]) -> None:
    """Prints a summary of one or several runs: the row counts of every table, warnings, verdicts and errors."""
    rows = _totals(results)
    if rows:
        columns = ("table", "in", "written", "quarantined", "dropped", "superseded", "seconds")
        out.print()
        out.print(table(columns, rows, title="Rows in = written + quarantined + dropped + superseded"))
    last = results[-1]
    warnings = (
        f"{outcome.table}: {warning}"
        for result in results
        for outcome in result.outcomes
        for warning in outcome.warnings
    )
    print_warnings(dict.fromkeys(warnings))
    _print_verdicts(results)
    for outcome in last.outcomes:
        if outcome.error is not None:
            print_error(outcome.error)
    for error in last.errors:
        print_error(error)
    if last.restored:
        print_warning(f"Restored {plural(last.restored, 'record')} of an interrupted run.")
    out.print(_sentence(results), soft_wrap=True)


def _totals(results: Sequence[RunResult]) -> list[tuple[Any, ...]]:
    seconds: dict[str, float] = {}
    for result in results:
        for outcome in result.outcomes:
            seconds[outcome.table] = seconds.get(outcome.table, 0.0) + outcome.seconds
    return [
        (name, c.rows_in, c.written, c.quarantined, c.dropped, c.superseded, seconds[name])
        for name, c in _counts(results).items()
    ]


def _counts(results: Sequence[RunResult]) -> dict[str, RowCounts]:
    """The row counts of each table that was loaded."""
    from goldsmith.run.outcome import add_counts

    totals: dict[str, RowCounts] = {}
    for result in results:
        for outcome in result.outcomes:
            if outcome.commits:
                known = totals.get(outcome.table)
                totals[outcome.table] = add_counts(known, outcome.counts) if known else outcome.counts
    return totals


def _print_verdicts(results: Sequence[RunResult]) -> None:
    failing: dict[tuple[str, str], list[int]] = {}
    otherwise: dict[tuple[str, str], str] = {}
    for result in results:
        for outcome in result.outcomes:
            for verdict in outcome.verdicts:
                if verdict.ok or outcome.status == "gate":
                    continue
                key = (outcome.table, verdict.name)
                counted = failing.setdefault(key, [0, 0])
                counted[0] += verdict.failed
                counted[1] += verdict.checked
                accepted = f" (accepted by {verdict.accepted_by})" if verdict.accepted_by else ""
                otherwise[key] = verdict.otherwise + accepted
    if failing:
        rows = [(*key, otherwise[key], *counts) for key, counts in failing.items()]
        out.print()
        out.print(
            table(
                ("table", "expectation", "otherwise", "rows", "of"),
                rows,
                title="Expectations that were not met",
            )
        )


def _sentence(results: Sequence[RunResult]) -> Text:
    seconds = sum(result.seconds for result in results)
    last = results[-1]
    commits = sum(len(outcome.commits) for result in results for outcome in result.outcomes)
    if last.failed or last.stopped:
        parts = []
        if last.failed:
            parts.append(f"{plural(len(last.failed), 'table')} failed")
        if last.stopped:
            parts.append(f"{plural(len(last.stopped), 'table')} stopped by a gate")
        skipped = [outcome for outcome in last.outcomes if outcome.status == "skipped"]
        if skipped:
            parts.append(f"{plural(len(skipped), 'table')} skipped")
        ended = f" in {seconds:.1f} s. Committed loads are kept. Run it again to continue."
        return styled((", ".join(parts), "red"), ended, *_left_out(results))
    counts = _counts(results)
    if not commits:
        checked = f" {plural(len(last.outcomes), 'table')} up to date, checked in {seconds:.1f} s."
        return styled(("Nothing to do:", "green"), checked)
    done = ("Done:", "green")
    if _over_limit(results):
        done = ("Done, but a load exceeded `max_quarantined`:", "yellow")
    elif _little(results):
        done = ("Done, but most rows of a load were not written:", "yellow")
    loaded = f" {plural(commits, 'commit')} to {plural(len(counts), 'table')} in {seconds:.1f} s."
    return styled(done, loaded, *_left_out(results))


def _left_out(results: Sequence[RunResult]) -> list[str | tuple[str, str]]:
    """The end of the last line: tables that quarantined rows, or dropped most rows of a load."""
    from goldsmith.run.outcome import rejected_rows

    little = _little(results) | _over_limit(results)
    parts: list[str | tuple[str, str]] = []
    for name, counts in _counts(results).items():
        if counts.quarantined or name in little:
            text = f"{name} {rejected_rows(counts)}"
            parts += ["; " if parts else " ", (text, "yellow") if name in little else text]
    return [*parts, "."] if parts else []


def _little(results: Sequence[RunResult]) -> frozenset[str]:
    """The tables with a load that wrote few of its rows."""
    from goldsmith.run.outcome import mostly_rejected

    return _with_load(results, lambda load: mostly_rejected(load.counts))


def _over_limit(results: Sequence[RunResult]) -> frozenset[str]:
    """The tables with a load that quarantined more rows than their limit allows."""
    from goldsmith.run.outcome import exceeds_limit

    return _with_load(results, exceeds_limit)


def _with_load(results: Sequence[RunResult], condition: Callable[[CommitMetadata], bool]) -> frozenset[str]:
    """The tables with a load that meets a condition."""
    return frozenset(
        outcome.table
        for result in results
        for outcome in result.outcomes
        if any(condition(commit) for commit in outcome.commits)
    )


def result_as_dict(result: RunResult) -> dict[str, Any]:
    """A run's result for JSON output."""
    return {
        "run_id": result.run_id,
        "seconds": round(result.seconds, 3),
        "tables": [
            {
                "table": outcome.table,
                "status": outcome.status,
                "reason": outcome.reason,
                "seconds": round(outcome.seconds, 3),
                "counts": asdict(outcome.counts),
                "versions": list(outcome.versions),
                "verdicts": [asdict(verdict) for verdict in outcome.verdicts],
                "warnings": list(outcome.warnings),
                "error": error_as_dict(outcome.error) if outcome.error else None,
            }
            for outcome in result.outcomes
        ],
        "errors": [error_as_dict(error) for error in result.errors],
    }


def exit_code(result: RunResult) -> Exit:
    """The exit code of a run: a failure precedes a gate, a gate precedes success."""
    if result.failed:
        codes = {outcome.error.exit_code for outcome in result.failed if outcome.error is not None}
        return codes.pop() if len(codes) == 1 else Exit.FAILED
    if result.stopped:
        return Exit.GATE
    return Exit.FAILED if result.errors else Exit.DONE
