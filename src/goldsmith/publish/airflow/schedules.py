"""A pipeline's schedule as an Airflow timetable. Dates are partitions: a run's key is the start of its data interval.

Airflow starts a pipeline after assets only by events of its own kind: events with a partition's key start dated
pipelines alone, events without one the others.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from airflow.sdk import CronPartitionTimetable, PartitionedAssetTimetable

from goldsmith.project.cron import Cron
from goldsmith.project.tables import Pipeline, Project
from goldsmith.publish.airflow.assets import asset_of
from goldsmith.publish.airflow.intervals import first_run, key_format

FIRST_WITHIN = timedelta(minutes=5)
"""How long after its time a schedule's very first run still starts: the DAG may be read anew at that very moment."""


def schedule_of(project: Project, pipeline: Pipeline) -> Any:
    """What the DAG's `schedule` is; None where it is started by hand."""
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
    """The cron expression that gives the pipeline's runs their keys: its own, else that of the one it waits for.

    None where runs have no keys: they are started by hand, or after a pipeline that is.
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
    """The pipelines whose tables this one waits for."""
    schedule = pipeline.spec.schedule
    names = schedule.after if schedule else ()
    return tuple(home for home in (project.pipeline_of(name) for name in names) if home is not None)


def start_of(pipeline: Pipeline, now: datetime | None = None) -> datetime | None:
    """The DAG's start date: when its first run is due, at the end of the first interval.

    None where that time has passed and `catchup` is off: with a start date in the past Airflow would run the interval
    that ended last as soon as the DAG appears; without one it waits for the schedule's next time.
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
