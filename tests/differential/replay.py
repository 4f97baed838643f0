"""Plays a case from its file: `python -m differential.replay CASE.json`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from differential.case import Case
from differential.running import run_case, session


def main(arguments: list[str]) -> int:
    """Prints the result of the case and its project's folder. Returns exit code 1 if it fails."""
    case = Case.read(Path(arguments[0]))
    root = Path(tempfile.mkdtemp(prefix=f"case-{case.seed}-"))
    with session() as spark:
        result = run_case(spark, case, root)
    sys.stdout.write(f"The project: {root}\n")
    if result.failed is None:
        sys.stdout.write("No failure.\n")
        return 0
    sys.stdout.write(f"{result.failed.kind}: {result.failed.table}\n{result.failed.detail}\n")
    return 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
