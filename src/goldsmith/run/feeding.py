"""Feeds: pipelines that bring their own landing files, for demos, tests and pull-style sources."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from goldsmith.engine.ingest.landing import Landing
from goldsmith.errors import GoldsmithError, SourceError, Where
from goldsmith.project.tables import Pipeline, Project
from goldsmith.run.context import Interval
from goldsmith.run.user_code import of_network, raised_at, said

Deliver = Callable[[date], Iterable[tuple[str, bytes]]]


@dataclass(frozen=True)
class Delivery:
    """What a feed delivered for one day: how many files, and how many were there already."""

    day: date
    new: int
    present: int


@dataclass(frozen=True)
class Feed:
    """A pipeline's feed: called with a day it yields (path, content) pairs. function: the `deliver` of its file.

    What its code raises becomes a SourceError GS308 that names the pipeline, the day and the line.
    """

    pipeline: str
    file: Path
    function: Callable[[date], object]

    def __call__(self, day: date) -> Iterator[tuple[str, bytes]]:
        for item in self._items(day):
            match item:
                case (str(path), bytes() | bytearray() | memoryview() as content):
                    yield path, bytes(content)
                case (str(path), content):
                    raise self.error(
                        f"delivered `{path}` on {day} as {type(content).__name__} and not as bytes",
                        hint="Encode text: `yield path, text.encode()`.",
                    )
                case _:
                    raise self.error(
                        f"yielded {type(item).__name__} on {day} and not a pair of path and content",
                        hint="`deliver(day)` yields pairs: `yield f'orders/{day}.csv', content`.",
                    )

    def error(self, wrong: str, **more: Any) -> SourceError:
        """What the feed did wrong, said of it by its pipeline's name."""
        more.setdefault("where", Where(file=self.file))
        return SourceError("GS308", f"The feed of `{self.pipeline}` {wrong}.", **more)

    def _items(self, day: date) -> Iterator[object]:
        try:
            yield from self._checked(self.function(day), day)
        except GoldsmithError:
            raise
        except (Exception, SystemExit) as error:
            retryable = of_network(error)
            raise self.error(
                f"failed on {day}: {said(error)}",
                where=raised_at(error, self.file),
                retryable=retryable,
                hint="Run it again when the server answers: files that are there already are left alone."
                if retryable
                else "Correct the feed, then deliver the day again: files that are there already are left alone.",
            ) from error

    def _checked(self, found: object, day: date) -> Iterable[object]:
        if isinstance(found, Iterable):
            return found
        raise self.error(
            f"returned {type(found).__name__} on {day}",
            hint="`deliver(day)` yields pairs of path and content; a day without files yields none.",
        )


def feed_of(pipeline: Pipeline) -> Feed:
    """A pipeline's feed: the function `deliver(day)` of its feed.py.

    Raises SourceError GS308 if there is none or it cannot be loaded.
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
    except (Exception, SystemExit) as error:
        raise SourceError(
            "GS308",
            f"The feed of `{pipeline.name}` does not load: {said(error)}.",
            where=raised_at(error, file),
            hint="Correct feed.py, or install what it imports.",
        ) from error
    function = getattr(module, "deliver", None)
    if not callable(function):
        raise SourceError(
            "GS308",
            f"The feed of `{pipeline.name}` has no function `deliver`.",
            where=Where(file=file),
            hint="Write `def deliver(day): ...`, which yields (path, content) pairs.",
        )
    return Feed(pipeline.name, file, function)


def deliver_day(landing: Landing, deliver: Deliver, day: date) -> Delivery:
    """Writes one day's files; those that are there with the same content are left alone.

    Raises SourceError GS308 if the feed fails, StorageError if a file cannot be written.
    """
    new = present = 0
    digests: dict[str, bytes] = {}
    for path, content in deliver(day):
        digest = hashlib.sha256(content).digest()
        try:
            if digests.setdefault(path, digest) != digest:
                raise _delivered_twice(path)
            if landing.deliver(path, content):
                new += 1
            else:
                present += 1
        except SourceError as error:
            raise _named(error, deliver, day) from error
    return Delivery(day, new, present)


def _delivered_twice(path: str) -> SourceError:
    return SourceError(
        "GS308",
        f"The path `{path}` was delivered twice with different content: rows would be lost.",
        hint="Give each of a day's files a path of its own.",
    )


def _named(error: SourceError, deliver: Deliver, day: date) -> SourceError:
    """An error of a delivery with its pipeline and its day."""
    whose, where = "The feed", error.where
    if isinstance(deliver, Feed):
        whose, where = f"The feed of `{deliver.pipeline}`", Where(file=deliver.file)
    message = f"{whose} failed on {day}. {error.message}"
    return SourceError(error.code, message, where=where, hint=error.hint, retryable=error.retryable)


def make_folders(landing: Landing, project: Project, pipeline: Pipeline) -> None:
    """Makes the landing folders of a pipeline's tables, so that a day without files is no missing folder."""
    for name, glob in project.globs.items():
        if project.tables[name].pipeline == pipeline.name:
            landing.make_folder(glob)


def deliver_interval(landing: Landing, deliver: Deliver, interval: Interval) -> Iterable[Delivery]:
    """Feeds each day of an interval, oldest first. Raises as `deliver_day`."""
    for day in interval.days:
        yield deliver_day(landing, deliver, day)
