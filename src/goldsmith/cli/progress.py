"""What a run prints while it works and when it ends."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.status import Status
from rich.text import Text

from goldsmith.cli.console import error_as_dict, out, plural, styled, table, tell_error, tell_warning
from goldsmith.errors import Exit

if TYPE_CHECKING:
    from goldsmith.engine.delta.metadata import RowCounts
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
def told_live(*, quiet: bool) -> Iterator[Listener]:
    """A listener that tells each table's end, and on a terminal which tables load just now."""
    if quiet:
        yield lambda _name, _outcome: None
        return
    lock, running = threading.Lock(), dict[str, None]()
    status = Status("", console=out) if out.is_terminal else None

    def tell(name: str, outcome: TableOutcome | None) -> None:
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
        yield tell
        return
    with status:
        yield tell


def _line(outcome: TableOutcome) -> Text:
    told = outcome.reason if outcome.status != "failed" or outcome.error is None else outcome.error.code
    parts: list[str | tuple[str, str]] = [_MARKS[outcome.status], f" {outcome.table:<28} {told}"]
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


def tell_result(results: Sequence[RunResult]) -> None:
    """The summary of one or several runs: what every table took in and where it went, then what went wrong."""
    rows = _totals(results)
    if rows:
        columns = ("table", "in", "written", "quarantined", "dropped", "superseded", "seconds")
        out.print()
        out.print(table(columns, rows, title="Rows in = written + quarantined + dropped + superseded"))
    last = results[-1]
    for told in dict.fromkeys(
        f"{outcome.table}: {warning}"
        for result in results
        for outcome in result.outcomes
        for warning in outcome.warnings
    ):
        tell_warning(told)
    _tell_verdicts(results)
    for outcome in last.outcomes:
        if outcome.error is not None:
            tell_error(outcome.error)
    for error in last.errors:
        tell_error(error)
    if last.restored:
        tell_warning(f"{plural(last.restored, 'record')} of a run that was cut off were restored.")
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
    """The rows of each table that was loaded."""
    from goldsmith.run.outcome import add_counts

    totals: dict[str, RowCounts] = {}
    for result in results:
        for outcome in result.outcomes:
            if outcome.commits:
                known = totals.get(outcome.table)
                totals[outcome.table] = add_counts(known, outcome.counts) if known else outcome.counts
    return totals


def _tell_verdicts(results: Sequence[RunResult]) -> None:
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
        ended = f" in {seconds:.1f} s. What was loaded stays; run it again to go on."
        return styled((", ".join(parts), "red"), ended, *_left_out(results))
    counts = _counts(results)
    if not commits:
        looked = f" {plural(len(last.outcomes), 'table')} up to date, looked at in {seconds:.1f} s."
        return styled(("Nothing to do:", "green"), looked)
    done = (
        ("Done, but most rows of a load were left out:", "yellow") if _little(results) else ("Done:", "green")
    )
    loaded = f" {plural(commits, 'commit')} to {plural(len(counts), 'table')} in {seconds:.1f} s."
    return styled(done, loaded, *_left_out(results))


def _left_out(results: Sequence[RunResult]) -> list[str | tuple[str, str]]:
    """Which tables quarantined rows, or dropped most of a load's, as the end of the last line."""
    from goldsmith.run.outcome import rejected_rows

    little = _little(results)
    parts: list[str | tuple[str, str]] = []
    for name, counts in _counts(results).items():
        if counts.quarantined or name in little:
            told = f"{name} {rejected_rows(counts)}"
            parts += ["; " if parts else " ", (told, "yellow") if name in little else told]
    return [*parts, "."] if parts else []


def _little(results: Sequence[RunResult]) -> frozenset[str]:
    """The tables with a load that kept little."""
    from goldsmith.run.outcome import mostly_rejected

    return frozenset(
        outcome.table
        for result in results
        for outcome in result.outcomes
        if any(mostly_rejected(commit.counts) for commit in outcome.commits)
    )


def result_as_dict(result: RunResult) -> dict[str, Any]:
    """A run for machines."""
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
    """A failure beats a gate, and a gate beats success."""
    if result.failed:
        codes = {outcome.error.exit_code for outcome in result.failed if outcome.error is not None}
        return codes.pop() if len(codes) == 1 else Exit.FAILED
    if result.stopped:
        return Exit.GATE
    return Exit.FAILED if result.errors else Exit.DONE
