#!/opt/venv/bin/python
"""Creates the folder of event logs. Without it no Spark application starts.

Usage: event_logs.py [SETTINGS], with SETTINGS=spark/conf/spark-defaults.conf
"""

import sys
from pathlib import Path

SETTING = "spark.eventLog.dir"
MARKER = ".folder"
"""The object that represents the folder on S3. The history server ignores names that start with a dot."""


def folder_of(settings: str) -> str | None:
    """The folder in the text of a spark-defaults.conf; None if it is not set."""
    found = [
        value
        for line in settings.splitlines()
        for key, *value in [line.split(None, 1) or [""]]
        if key == SETTING
    ]
    return found[-1][0].strip() if found and found[-1] else None


def make(folder: str) -> None:
    """Creates a folder on S3 or on a disk. Raises GoldsmithError if the store refuses."""
    if folder.startswith("s3a://"):
        from goldsmith.engine.s3 import Bucket

        bucket = Bucket.of(folder)
        prefix = folder.partition("://")[2].partition("/")[2].strip("/")
        if not bucket.holds(f"{prefix}/"):
            bucket.put(f"{prefix}/{MARKER}", b"")
    else:
        Path(folder.removeprefix("file:")).mkdir(parents=True, exist_ok=True)


def main(arguments: list[str]) -> int:
    from goldsmith.errors import GoldsmithError

    settings = Path(arguments[0] if arguments else "spark/conf/spark-defaults.conf")
    folder = folder_of(settings.read_text())
    if folder is None:
        return 0
    try:
        make(folder)
    except GoldsmithError as error:
        print(f"{error.code} {error.message}\n  {error.hint or ''}", file=sys.stderr)
        return 4
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
