"""The extracts of a case: they copy the delivered files that they have not copied yet, or those of a day."""

from __future__ import annotations

FILE = "pipelines/p/copying.py"

MODULE = '''"""Extracts that copy delivered files. Their state is the list of the copied ones; those of a day have none."""

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


def _copy_day(table, interval, folder):
    [day] = interval.days
    for file in sorted((LANDING / table / str(day)).glob("*")):
        shutil.copyfile(file, folder / file.name)


def b0(*, interval, state, folder):
    return _copy("b0", state, folder)


def b1(*, interval, state, folder):
    return _copy("b1", state, folder)


def b0_of_day(*, interval, state, folder):
    _copy_day("b0", interval, folder)


def b1_of_day(*, interval, state, folder):
    _copy_day("b1", interval, folder)
'''
