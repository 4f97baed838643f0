"""Runs feeds, which deliver landing files for demos, tests and pull-style sources."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from goldsmith.engine.ingest.landing import Landing
from goldsmith.errors import GoldsmithError, SourceError, Where
from goldsmith.project.pipelines import Pipeline, Project
from goldsmith.run.context import DataInterval
from goldsmith.run.user_code import execute, is_network_error, one_line, raised_at

Deliver = Callable[[date], Iterable[tuple[str, bytes]]]


@dataclass(frozen=True)
class Delivery:
    """The files that a feed delivered for one day. present: those that already existed."""

    day: date
    new: int
    present: int


@dataclass(frozen=True)
class Feed:
    """A pipeline's feed; called with a day, it yields (path, content) pairs. function: the file's `deliver`.

    Exceptions of its code become a SourceError GS308 with the pipeline, the day and the line.
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
                        f"delivered `{path}` on {day} as {type(content).__name__}, not as bytes",
                        hint="Encode the text: `yield path, text.encode()`.",
                    )
                case _:
                    raise self.error(
                        f"yielded {type(item).__name__} on {day}, not a pair of path and content",
                        hint="Yield pairs: `yield f'orders/{day}.csv', content`.",
                    )

    def error(self, wrong: str, **more: Any) -> SourceError:
        """A SourceError with the pipeline's name."""
        more.setdefault("where", Where(file=self.file))
        return SourceError("GS308", f"The feed of `{self.pipeline}` {wrong}.", **more)

    def _items(self, day: date) -> Iterator[object]:
        try:
            yield from self._checked(self.function(day), day)
        except GoldsmithError:
            raise
        except (Exception, SystemExit) as error:
            retryable = is_network_error(error)
            raise self.error(
                f"failed on {day}: {one_line(error)}",
                where=raised_at(error, self.file),
                retryable=retryable,
                hint="Run it again when the server responds: existing files are skipped."
                if retryable
                else "Correct the feed, then deliver the day again: existing files are skipped.",
            ) from error

    def _checked(self, found: object, day: date) -> Iterable[object]:
        if isinstance(found, Iterable):
            return found
        raise self.error(
            f"returned {type(found).__name__} on {day}",
            hint="Yield pairs of path and content; for a day without files yield nothing.",
        )


def feed_of(pipeline: Pipeline) -> Feed:
    """The feed of a pipeline: the function `deliver(day)` of its feed.py.

    Raises SourceError GS308 if there is none or it cannot be loaded.
    """
    file = pipeline.feed_file
    if file is None:
        raise SourceError(
            "GS308",
            f"The pipeline `{pipeline.name}` has no feed.",
            where=Where(file=pipeline.folder / "feed.py"),
            hint="Write `def deliver(day): ...` that yields (path, content) pairs, or deliver files yourself.",
        )
    try:
        module = execute(f"goldsmith_feed_{pipeline.name}", file)
    except GoldsmithError:
        raise
    except (Exception, SystemExit) as error:
        raise SourceError(
            "GS308",
            f"The feed of `{pipeline.name}` cannot be imported: {one_line(error)}.",
            where=raised_at(error, file),
            hint="Correct feed.py, or install the packages that it imports.",
        ) from error
    function = getattr(module, "deliver", None)
    if not callable(function):
        raise SourceError(
            "GS308",
            f"The feed of `{pipeline.name}` has no function `deliver`.",
            where=Where(file=file),
            hint="Write `def deliver(day): ...` that yields (path, content) pairs.",
        )
    return Feed(pipeline.name, file, function)


def deliver_day(landing: Landing, deliver: Deliver, day: date) -> Delivery:
    """Delivers one day's files; files that exist with the same content are skipped.

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
        f"The path `{path}` was delivered twice with different content.",
        hint="Use a different path for each file of a day: otherwise rows would be lost.",
    )


def _named(error: SourceError, deliver: Deliver, day: date) -> SourceError:
    """A delivery's error with the pipeline and the day added."""
    whose, where = "The feed", error.where
    if isinstance(deliver, Feed):
        whose, where = f"The feed of `{deliver.pipeline}`", Where(file=deliver.file)
    message = f"{whose} failed on {day}. {error.message}"
    return SourceError(error.code, message, where=where, hint=error.hint, retryable=error.retryable)


def make_folders(landing: Landing, project: Project, pipeline: Pipeline) -> None:
    """Creates the landing folders of a pipeline's tables, so that a day without files is not an error."""
    for name, glob in project.globs.items():
        if project.tables[name].pipeline == pipeline.name:
            landing.make_folder(glob)


def deliver_interval(landing: Landing, deliver: Deliver, interval: DataInterval) -> Iterable[Delivery]:
    """Delivers each day of an interval, oldest first. Raises as `deliver_day` does."""
    for day in interval.days:
        yield deliver_day(landing, deliver, day)
