"""The errors of delivered files that executors cannot read, as they reach the driver."""

from __future__ import annotations

import json
import re

ZIP_CODEC = "io.goldsmith.zip.ZipCodec"
"""The class by which Spark reads ZIP files, in the jar `goldsmith.engine.launch.compiled_jars.FILES`."""

_RAISED = re.compile(r"^goldsmith\.engine\.unreadable\.UnreadableFileError: (\{.*\})$", re.MULTILINE)

_MISSING = re.compile(r"^ModuleNotFoundError: No module named '(goldsmith|fastavro|cramjam)\b", re.MULTILINE)


class UnreadableFileError(Exception):
    """A file that cannot be read. Its text is a JSON document, which the worker's traceback ends with."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(json.dumps({"path": path, "message": message}))


def unreadable_file(traceback: str) -> tuple[str, str] | None:
    """The path and the message of an UnreadableFileError in a worker's traceback; None if it has none."""
    found = _RAISED.search(traceback)
    if found is None:
        return None
    document = json.loads(found[1])
    return str(document["path"]), str(document["message"])


def missing_module(traceback: str) -> str | None:
    """A module that workers need to read files, and that their Python lacks; None if it is not the cause."""
    found = _MISSING.search(traceback)
    return found[1] if found is not None else None
