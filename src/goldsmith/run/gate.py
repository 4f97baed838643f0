"""The gate: records verdicts, and stops a load whose expectations are not met."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from goldsmith.engine.delta.metadata import VerdictRecord
from goldsmith.errors import GateStopped, Where
from goldsmith.project.format_hints import format_hints
from goldsmith.project.quarantine_limit import LIMIT
from goldsmith.project.tables import Table
from goldsmith.quality.judge import Judged, Verdict, failing_rows
from goldsmith.run.context import Run
from goldsmith.run.quarantine_limit import Rejected


def verdict_records(
    run: Run, table: Table, judged: Judged, verdicts: Sequence[Verdict]
) -> tuple[VerdictRecord, ...]:
    """The verdicts with the declared action, acceptance, and samples of failing rows."""
    declared = {expectation.name: expectation for expectation in table.spec.expectations}
    # A change set without rows has no mean or maximum, which must not stop its load.
    met = {v.name: v.ok or (v.checked == 0 and v.observed is None) for v in verdicts}
    samples = failing_rows(judged, [v.name for v in verdicts if v.failed > 0 or not met[v.name]])
    records = []
    for verdict in verdicts:
        accepted = run.accepted.covers(table.name, declared[verdict.name])
        failing = verdict.name in samples
        records.append(
            VerdictRecord(
                name=verdict.name,
                kind=verdict.kind,
                otherwise=declared[verdict.name].otherwise,
                description=verdict.description,
                checked=verdict.checked,
                failed=verdict.failed,
                observed=verdict.observed,
                ok=met[verdict.name],
                accepted_by=run.accepted.by if accepted and failing else None,
                accepted_why=run.accepted.why if accepted and failing else None,
                samples=tuple(samples.get(verdict.name, ())),
            )
        )
    return tuple(records)


def gate(table: Table, records: Sequence[VerdictRecord], rows: Callable[[], Rejected]) -> None:
    """Raises GateStopped if a verdict with `otherwise: fail` is not met and was not accepted.

    GS501 for an expectation, GS508 if only the limit of quarantined rows is exceeded. rows: called for the
    quarantined rows.
    """
    stopping = [r for r in records if r.otherwise == "fail" and not r.ok and r.accepted_by is None]
    failed = [record for record in stopping if record.kind != LIMIT]
    if failed:
        raise _expectations_not_met(table, failed, tuple(records))
    if stopping:
        raise _limit_exceeded(table, stopping[0], rows(), tuple(records))


def _expectations_not_met(
    table: Table, failed: Sequence[VerdictRecord], records: tuple[VerdictRecord, ...]
) -> GateStopped:
    lines = []
    for record in failed:
        measured = (
            f"{record.failed:,} of {record.checked:,} rows"
            if record.failed
            else f"observed {record.observed}"
        )
        lines.append(f"{record.name}: {measured}" + "".join(f"\n    {sample}" for sample in record.samples))
    details = "\n  ".join(lines)
    return GateStopped(
        "GS501",
        f"`{table.name}` was not loaded: {len(failed)} of its expectations were not met.\n  {details}",
        where=Where(file=table.document.file, table=table.name),
        hint=f"Correct the data or the expectation, or accept it once: --accept {failed[0].name} --why '...'.",
        verdicts=records,
    )


def _limit_exceeded(
    table: Table, record: VerdictRecord, rows: Rejected, records: tuple[VerdictRecord, ...]
) -> GateStopped:
    lines = [f"{reason}: {count:,} row{'s' if count != 1 else ''}" for reason, count in rows.reasons.items()]
    lines += [f"  {sample}" for sample in record.samples]
    details = "\n  ".join(lines)
    return GateStopped(
        "GS508",
        f"`{table.name}` was not loaded: {record.failed:,} of {record.checked:,} rows ({record.observed}) would be "
        f"quarantined. {record.description}\n  {details}",
        where=table.where(LIMIT),
        hint=" ".join(
            (
                *(format_hints(rows.rows) if table.origin else ()),
                "Correct the delivery or the declaration, or accept it once: "
                f"--accept {table.name}.{LIMIT} --why '...'.",
            )
        ),
        verdicts=records,
    )
