"""Applies mutations, one at a time, to a copy of the source, and reports which are found.

`python -m differential.mutating [WORDS...]`: all mutations, or those with one of the words in their name or promise. Run
it from the project's root. The source itself is never changed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from differential.mutation import Mutation
from differential.mutations import MUTATIONS

ROOT = Path(__file__).parents[2]


class NotApplicable(Exception):  # noqa: N818 - the source has changed under the mutation
    """The text to replace does not occur exactly once."""


def mutated(mutation: Mutation, into: Path) -> Path:
    """A copy of the source with the mutation. Raises NotApplicable."""
    source = into / "src"
    shutil.copytree(ROOT / "src", source, ignore=shutil.ignore_patterns("__pycache__"))
    file = source / mutation.file
    text = file.read_text(encoding="utf-8")
    if text.count(mutation.old) != 1:
        raise NotApplicable(f"{mutation.file} contains its text {text.count(mutation.old)} times")
    file.write_text(text.replace(mutation.old, mutation.new), encoding="utf-8")
    return source


def command(mutation: Mutation) -> list[str]:
    """The command that must fail."""
    kind, _, rest = mutation.found_by.partition(" ")
    if kind == "seeds":
        return [sys.executable, "-m", "differential", "--seeds", rest, "--first"]
    return [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *mutation.found_by.split()]


def found(mutation: Mutation) -> tuple[bool, str]:
    """Whether the mutation is found, and the last line of output."""
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        source = mutated(mutation, Path(folder))
        path = os.pathsep.join([str(source), str(ROOT / "tests")])
        environment = os.environ | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            command(mutation), cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    # pytest ends with 1 if tests fail. With 2 to 5, it did not run them.
    if done.returncode not in (0, 1):
        raise NotApplicable(f"ended with {done.returncode}: {(lines or ['nothing printed'])[-1]}")
    failing = [line for line in lines if line.startswith(("seed ", "FAILED "))]
    return done.returncode == 1, (failing or lines or [""])[-1]


def main(words: list[str]) -> int:
    """Returns exit code 1 if a mutation is not found."""
    chosen = [
        item for item in MUTATIONS if not words or any(word in f"{item.name} {item.breaks}" for word in words)
    ]
    missed = 0
    for mutation in chosen:
        began = time.monotonic()
        try:
            is_found, line = found(mutation)
        except NotApplicable as error:
            is_found, line = False, f"cannot be applied: {error}"
        missed += not is_found
        mark = "found" if is_found else "NOT FOUND"
        sys.stdout.write(f"{mark:9} {mutation.name} ({time.monotonic() - began:.0f} s): {line}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{len(chosen) - missed} of {len(chosen)} found\n")
    return int(missed > 0)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
