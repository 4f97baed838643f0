"""What a run prints while it works and when it ends."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.status import Status

from goldsmith.cli.console import error_as_dict, out, plural, table, tell_error, tell_warning
from goldsmith.errors import Exit

if TYPE_CHECKING:
    from goldsmith.run.outcome import RunResult, TableOutcome
    from goldsmith.run.runner import Listener

_MARKS = {
    "done": "[green]✓[/]",
    "nothing_new": "[dim]·[/]",
    "gate": "[red]■[/]",
    "failed": "[red]✗[/]",
    "skipped": "[yellow]-[/]",
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
                status.update("Loading " + ", ".join(running) if running else "Recording")

    if status is None:
        yield tell
        return
    with status:
        yield tell


def _line(outcome: TableOutcome) -> str:
    mark = _MARKS[outcome.status]
    told = escape(
        outcome.reason if outcome.status != "failed" or outcome.error is None else outcome.error.code
    )
    text = f"{mark} {outcome.table:<28} {told}"
    if outcome.status == "done":
        counts = outcome.counts
        text += f": {plural(counts.written, 'row')} written"
        if counts.quarantined:
            text += f", [yellow]{counts.quarantined:,} quarantined[/]"
        if counts.dropped:
            text += f", {counts.dropped:,} dropped"
    return text + (f" [dim]{outcome.seconds:.1f} s[/]" if outcome.seconds else "")


def tell_result(results: Sequence[RunResult]) -> None:
    """The summary of one or several runs: what every table took in and where it went, then what went wrong."""
    rows = _totals(results)
    if rows:
        columns = ("table", "in", "written", "quarantined", "dropped", "superseded", "seconds")
        out.print()
        out.print(table("Rows in = written + quarantined + dropped + superseded", columns, rows))
    last = results[-1]
    for outcome in last.outcomes:
        for warning in outcome.warnings:
            tell_warning(f"{outcome.table}: {warning}")
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
    from goldsmith.run.outcome import add_counts

    totals: dict[str, Any] = {}
    seconds: dict[str, float] = {}
    for result in results:
        for outcome in result.outcomes:
            if outcome.commits:
                known = totals.get(outcome.table)
                totals[outcome.table] = add_counts(known, outcome.counts) if known else outcome.counts
                seconds[outcome.table] = seconds.get(outcome.table, 0.0) + outcome.seconds
    return [
        (name, c.rows_in, c.written, c.quarantined, c.dropped, c.superseded, seconds[name])
        for name, c in totals.items()
    ]


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
            table("Expectations that did not hold", ("table", "expectation", "otherwise", "rows", "of"), rows)
        )


def _sentence(results: Sequence[RunResult]) -> str:
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
        return f"[red]{', '.join(parts)}[/] in {seconds:.1f} s. What was loaded stays; run it again to go on."
    tables = len({outcome.table for result in results for outcome in result.outcomes if outcome.commits})
    if not commits:
        return f"[green]Nothing to do:[/] {plural(len(last.outcomes), 'table')} up to date, looked at in {seconds:.1f} s."
    return f"[green]Done:[/] {plural(commits, 'commit')} to {plural(tables, 'table')} in {seconds:.1f} s."


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
