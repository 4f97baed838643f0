"""Feeds: pipelines that bring their own landing files, for demos, tests and pull-style sources."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from types import ModuleType

from goldsmith.engine.landing import Landing
from goldsmith.errors import GoldsmithError, SourceError, Where
from goldsmith.project.models import FilesSource
from goldsmith.project.tables import Pipeline, Project
from goldsmith.run.context import Interval

Deliver = Callable[[date], Iterable[tuple[str, bytes]]]


@dataclass(frozen=True)
class Delivery:
    """What a feed delivered for one day: how many files, and how many were there already."""

    day: date
    new: int
    present: int


def feed_of(pipeline: Pipeline) -> Deliver:
    """A pipeline's feed: the function `deliver(day)` of its feed.py, which yields (path, content) pairs.

    Raises SourceError GS308 where there is none or it cannot be loaded.
    """
    file = pipeline.feed_file
    if file is None:
        raise SourceError(
            "GS308",
            f"The pipeline `{pipeline.name}` has no feed.",
            where=Where(file=pipeline.folder / "feed.py"),
            hint="Write `def deliver(day): ...`, which yields (path, content) pairs; or deliver files yourself.",
        )
    name = f"goldsmith_feed_{pipeline.name}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except GoldsmithError:
        raise
    except Exception as error:
        raise SourceError(
            "GS308", f"The feed does not load: {type(error).__name__}: {error}", where=Where(file=file)
        ) from error
    return _deliver(module, file.as_posix())


def _deliver(module: ModuleType, file: str) -> Deliver:
    deliver: Deliver | None = getattr(module, "deliver", None)
    if deliver is None:
        raise SourceError("GS308", "The feed has no function `deliver`.", where=Where(file=file))
    return deliver


def deliver_day(landing: Landing, deliver: Deliver, day: date) -> Delivery:
    """Writes one day's files; those that are there with the same content are left alone.

    Raises SourceError GS308 where the feed fails.
    """
    new = present = 0
    try:
        for path, content in deliver(day):
            if landing.deliver(path, content):
                new += 1
            else:
                present += 1
    except (GoldsmithError, OSError):
        raise
    except Exception as error:
        raise SourceError("GS308", f"The feed failed on {day}: {type(error).__name__}: {error}") from error
    return Delivery(day, new, present)


def make_folders(landing: Landing, project: Project, pipeline: Pipeline) -> None:
    """Makes the landing folders of a pipeline's tables, so that a day without files is no missing folder."""
    for table in project.tables.values():
        if table.pipeline == pipeline.name and isinstance(table.spec.source, FilesSource):
            landing.make_folder(table.spec.source.files)


def deliver_interval(landing: Landing, deliver: Deliver, interval: Interval) -> Iterable[Delivery]:
    """Feeds each day of an interval, oldest first. Raises as `deliver_day`."""
    for day in interval.days:
        yield deliver_day(landing, deliver, day)
