"""A pipeline's schedule as an Airflow timetable. A run's partition key is the start of its data interval.

Airflow triggers a pipeline on assets only by events of the same kind: events with a partition key trigger pipelines
with partitions, events without one trigger the others.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from airflow.sdk import CronPartitionTimetable, PartitionedAssetTimetable

from goldsmith.project.cron import Cron
from goldsmith.project.pipelines import Pipeline, Project
from goldsmith.publish.airflow.assets import asset_of
from goldsmith.publish.airflow.intervals import first_run, key_format

FIRST_WITHIN = timedelta(minutes=5)
"""How long after its time a schedule's first run still starts, since the DAG may be parsed at that time."""


def schedule_of(project: Project, pipeline: Pipeline) -> Any:
    """The DAG's `schedule`; None for manual runs only."""
    schedule = pipeline.spec.schedule
    if schedule is None:
        return None
    times = schedule.times
    if times is not None:
        return CronPartitionTimetable(
            times.text,
            timezone=schedule.timezone,
            run_offset=-1,
            run_immediately=FIRST_WITHIN,
            key_format=key_format(times),
        )
    assets = [asset_of(name) for name in schedule.after]
    if cron_of(project, pipeline) is None:
        return assets
    condition = assets[0]
    for asset in assets[1:]:
        condition = condition & asset
    return PartitionedAssetTimetable(assets=condition)


def cron_of(project: Project, pipeline: Pipeline) -> str | None:
    """The cron expression of the pipeline's partition keys: its own, else that of the pipeline it waits for.

    None if runs have no keys: they are started manually, or after such a pipeline.
    """
    return _cron_of(project, pipeline, frozenset())


def _cron_of(project: Project, pipeline: Pipeline, seen: frozenset[str]) -> str | None:
    schedule = pipeline.spec.schedule
    if schedule is None or pipeline.name in seen:
        return None
    if schedule.cron is not None:
        return schedule.cron
    found = [
        _cron_of(project, project.pipelines[home], seen | {pipeline.name})
        for home in dict.fromkeys(homes(project, pipeline))
        if home in project.pipelines
    ]
    return found[0] if found and None not in found else None


def homes(project: Project, pipeline: Pipeline) -> tuple[str, ...]:
    """The pipelines whose tables this pipeline waits for."""
    schedule = pipeline.spec.schedule
    names = schedule.after if schedule else ()
    return tuple(home for home in (project.pipeline_of(name) for name in names) if home is not None)


def start_of(pipeline: Pipeline, now: datetime | None = None) -> datetime | None:
    """The DAG's start date: the due time of its first run, at the end of the first interval.

    None if that time has passed and `catchup` is off. With a start date in the past Airflow would immediately run the
    interval that ended last; without one it waits for the schedule's next time.
    """
    spec = pipeline.spec
    if spec.start_date is None:
        return None
    schedule = spec.schedule
    zone = ZoneInfo(schedule.timezone if schedule else "UTC")
    times: Cron | None = schedule.times if schedule else None
    if times is None:
        return datetime.combine(spec.start_date, time(), zone)
    due = first_run(spec.start_date, times, zone)
    return due if spec.catchup or due > (now or datetime.now(UTC)) else None
