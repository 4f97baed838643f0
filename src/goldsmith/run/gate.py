"""The gate: records verdicts, and stops a load whose expectations are not met."""

from __future__ import annotations

from collections.abc import Sequence

from goldsmith.engine.delta.metadata import VerdictRecord
from goldsmith.errors import GateStopped, Where
from goldsmith.project.tables import Table
from goldsmith.quality.judge import Judged, Verdict, failing_rows
from goldsmith.run.context import Run


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


def gate(table: Table, records: Sequence[VerdictRecord]) -> None:
    """Raises GateStopped if an expectation with `otherwise: fail` is not met and was not accepted."""
    stopping = [r for r in records if r.otherwise == "fail" and not r.ok and r.accepted_by is None]
    if not stopping:
        return
    lines = []
    for record in stopping:
        measured = (
            f"{record.failed:,} of {record.checked:,} rows"
            if record.failed
            else f"observed {record.observed}"
        )
        lines.append(f"{record.name}: {measured}" + "".join(f"\n    {sample}" for sample in record.samples))
    details = "\n  ".join(lines)
    raise GateStopped(
        "GS501",
        f"`{table.name}` was not loaded: {len(stopping)} of its expectations were not met.\n  {details}",
        where=Where(file=table.document.file, table=table.name),
        hint=f"Correct the data or the expectation, or accept it once: --accept {stopping[0].name} --why '...'.",
        verdicts=tuple(records),
    )
