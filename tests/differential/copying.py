"""The extract of a case: it copies the delivered files that it has not copied yet."""

from __future__ import annotations

FILE = "pipelines/p/copying.py"

MODULE = '''"""Extracts that copy delivered files. Their state is the list of the copied ones."""

import shutil
from pathlib import Path

LANDING = Path(__file__).parents[2] / ".goldsmith/landing"


def _copy(table, state, folder):
    done = list(state or ())
    for file in sorted((LANDING / table).iterdir()):
        name = f"{file.stat().st_mtime_ns}-{file.name}"
        if file.is_file() and name not in done:
            shutil.copyfile(file, folder / name)
            done.append(name)
    return done


def b0(*, interval, state, folder):
    return _copy("b0", state, folder)


def b1(*, interval, state, folder):
    return _copy("b1", state, folder)
'''
