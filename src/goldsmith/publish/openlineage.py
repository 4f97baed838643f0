"""Sends a run's lineage to an OpenLineage backend: inputs, outputs, column lineage.

openlineage-python's configuration selects the transport. Events follow the OpenLineage specification 2-0-2 and its
facets, and its naming conventions for datasets: a local table is `file` and its path, a table in S3 `s3://bucket` and
its key.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from goldsmith.errors import GoldsmithError, NotReady
from goldsmith.project.tables import Table
from goldsmith.run.context import Run
from goldsmith.run.outcome import RunResult, TableOutcome

PRODUCER = f"urn:goldsmith:{version('goldsmith')}"
"""The producer as a URI, as the specification requires."""

_EVENT_OF = {"done": "COMPLETE", "failed": "FAIL", "gate": "FAIL"}
_FILE = "openlineage.yml"


def is_configured(environment: Mapping[str, str] | None = None) -> bool:
    """Whether a transport is configured.

    By OPENLINEAGE_URL, OPENLINEAGE_CONFIG, OPENLINEAGE__TRANSPORT..., or by a file `openlineage.yml` in the working
    directory or in ~/.openlineage. OPENLINEAGE_DISABLED=true disables it.
    """
    env = os.environ if environment is None else environment
    if env.get("OPENLINEAGE_DISABLED", "").strip().lower() == "true":
        return False
    if env.get("OPENLINEAGE_URL") or env.get("OPENLINEAGE_CONFIG"):
        return True
    if any(name.startswith("OPENLINEAGE__TRANSPORT") for name in env):
        return True
    return any((folder / _FILE).is_file() for folder in (Path.cwd(), Path("~/.openlineage").expanduser()))


def check_ready() -> None:
    """Raises NotReady GS903 if a transport is configured and openlineage-python is not installed."""
    if not is_configured():
        return
    try:
        import openlineage.client  # noqa: F401
    except ImportError as error:
        raise NotReady(
            "GS903",
            "An OpenLineage transport is configured, but the package openlineage-python is not installed.",
            hint="Install Goldsmith with the extra `lineage`.",
        ) from error


def emit(run: Run, result: RunResult) -> list[str]:
    """Sends a START and a COMPLETE or FAIL event for each table that loaded, failed or was stopped by a gate.

    Does nothing without a transport. Returns warnings for the caller to print: the tables are loaded, and lineage never
    fails a run. Stops after the first event that the backend does not accept.
    """
    if not is_configured():
        return []
    outcomes = [outcome for outcome in result.outcomes if outcome.status in _EVENT_OF]
    if not outcomes:
        return []
    sent = 0
    try:
        check_ready()
        client = _client()
        for outcome in outcomes:
            for event in _events(run, outcome):
                client.emit(event)
            sent += 1
        client.close(timeout=10.0)
    except GoldsmithError as error:
        return [" ".join(part for part in (error.message, error.hint) if part)]
    except Exception as error:  # noqa: BLE001 - a transport may raise anything, and the run is done
        reason = f"{type(error).__name__}: {error}"
        return [f"OpenLineage accepted the events of {sent} of {len(outcomes)} tables: {reason}"]
    return []


def _client() -> Any:
    """openlineage-python's client.

    Raises NotReady GS903 if its configuration has no transport, because it would print the events.
    """
    from openlineage.client import OpenLineageClient, set_producer

    set_producer(PRODUCER)
    client = OpenLineageClient()
    named = (client.config.transport or {}).get("type")
    if client.transport.kind == "console" and named != "console":
        raise NotReady(
            "GS903",
            "OpenLineage is configured without a transport; no lineage was sent.",
            hint="Set OPENLINEAGE_CONFIG to a readable file with `transport: {type: ...}`.",
        )
    return client


def _events(run: Run, outcome: TableOutcome) -> Iterator[Any]:
    from openlineage.client import event_v2 as ol
    from openlineage.client.uuid import generate_static_uuid

    table = run.project.tables[outcome.table]
    began = run.started + timedelta(seconds=outcome.began)
    # The id is deterministic for a run and table, and ordered by time.
    run_id = str(generate_static_uuid(began, f"{run.run_id}/{table.name}".encode()))
    job = ol.Job(namespace=run.project.spec.name, name=table.name, facets=_job_facets(run, table))
    inputs, output = _inputs(run, table, outcome), _output(run, table, outcome)
    for kind, at in (
        ("START", began),
        (_EVENT_OF[outcome.status], began + timedelta(seconds=outcome.seconds)),
    ):
        is_start = kind == "START"
        yield ol.RunEvent(
            eventType=getattr(ol.RunState, kind),
            eventTime=at.astimezone(UTC).isoformat(),
            run=ol.Run(runId=run_id, facets=_run_facets(run, None if is_start else outcome)),
            job=job,
            producer=PRODUCER,
            inputs=[] if is_start else inputs,
            outputs=[] if is_start else [output],
        )


def _run_facets(run: Run, outcome: TableOutcome | None) -> dict[str, Any]:
    from openlineage.client.facet_v2 import error_message_run, nominal_time_run, tags_run

    facets: dict[str, Any] = {
        "tags": tags_run.TagsRunFacet(
            tags=[tags_run.TagsRunFacetFields("goldsmith_run_id", run.run_id, "GOLDSMITH")]
        )
    }
    if run.interval is not None:
        ends = (
            datetime.combine(day, time(), UTC).isoformat() for day in (run.interval.start, run.interval.end)
        )
        facets["nominalTime"] = nominal_time_run.NominalTimeRunFacet(*ends)
    if outcome is not None and outcome.error is not None:
        facets["errorMessage"] = error_message_run.ErrorMessageRunFacet(
            message=str(outcome.error), programmingLanguage="PYTHON"
        )
    return facets


def _job_facets(run: Run, table: Table) -> dict[str, Any]:
    from openlineage.client.facet_v2 import documentation_job, job_type_job, ownership_job, sql_job

    facets: dict[str, Any] = {
        "jobType": job_type_job.JobTypeJobFacet(
            processingType="BATCH", integration="GOLDSMITH", jobType="TABLE"
        )
    }
    if table.spec.description:
        facets["documentation"] = documentation_job.DocumentationJobFacet(table.spec.description)
    owner = table.spec.owner or run.project.pipelines[table.pipeline].spec.owner
    if owner:
        facets["ownership"] = ownership_job.OwnershipJobFacet([ownership_job.Owner(owner)])
    if table.query is not None:
        facets["sql"] = sql_job.SQLJobFacet(table.query.text, dialect="spark")
    return facets


def _inputs(run: Run, table: Table, outcome: TableOutcome) -> list[Any]:
    from openlineage.client import event_v2 as ol
    from openlineage.client.facet_v2 import input_statistics_input_dataset as statistics

    read = [file for commit in outcome.commits for file in commit.files]
    counted = statistics.InputStatisticsInputDatasetFacet(
        size=sum(file.size for file in read), fileCount=len(read)
    )
    facets = {"inputStatistics": counted} if read else {}
    return [
        *(ol.InputDataset(*dataset(run.path(name)), facets=_described(run, name)) for name in table.needs),
        *(ol.InputDataset(*dataset(place), inputFacets=facets) for place in table.places(run.landing.place)),
    ]


def _output(run: Run, table: Table, outcome: TableOutcome) -> Any:
    from openlineage.client import event_v2 as ol
    from openlineage.client.facet_v2 import column_lineage_dataset as lineage
    from openlineage.client.facet_v2 import output_statistics_output_dataset as statistics

    facets = _described(run, table.name)
    found = table.analysis.lineage if table.analysis is not None else {}
    fields = {
        column: lineage.Fields(
            [lineage.InputField(*dataset(run.path(name)), field) for name, field in sorted(origins)]
        )
        for column, origins in found.items()
        if origins
    }
    if fields:
        facets["columnLineage"] = lineage.ColumnLineageDatasetFacet(fields)
    written = {}
    if outcome.commits:
        written["outputStatistics"] = statistics.OutputStatisticsOutputDatasetFacet(outcome.counts.written)
    return ol.OutputDataset(*dataset(run.path(table.name)), facets=facets, outputFacets=written)


def _described(run: Run, name: str) -> dict[str, Any]:
    """The facets of a table: its name as an alias of its path, and its declared columns."""
    from openlineage.client.facet_v2 import schema_dataset, symlinks_dataset

    table = run.project.tables[name]
    alias = symlinks_dataset.Identifier(run.project.spec.name, name, "TABLE")
    facets: dict[str, Any] = {"symlinks": symlinks_dataset.SymlinksDatasetFacet([alias])}
    if table.columns:
        facets["schema"] = schema_dataset.SchemaDatasetFacet(
            [
                schema_dataset.SchemaDatasetFacetFields(
                    column, kind, _description(table, column), ordinal_position=position
                )
                for position, (column, kind) in enumerate(table.columns.items(), start=1)
            ]
        )
    return facets


def _description(table: Table, column: str) -> str | None:
    declared = table.spec.columns.get(column)
    return declared.description or None if declared else None


def dataset(path: str) -> tuple[str, str]:
    """The namespace and name of a table's or folder's path. Spark's s3a and s3n become s3."""
    parts = urlsplit(path)
    if not parts.scheme or parts.scheme == "file":
        return "file", parts.path.rstrip("/") or "/"
    scheme = "s3" if parts.scheme in ("s3a", "s3n") else parts.scheme
    return f"{scheme}://{parts.netloc}", parts.path.strip("/") or "/"
