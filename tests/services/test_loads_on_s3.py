"""The tests of loads and of the protocol, run on S3."""

from __future__ import annotations

from importlib import import_module
from typing import Any

MODULES = (
    "append",
    "append_changes",
    "crashes",
    "drivers_properties",
    "log",
    "lookups",
    "merge",
    "merge_properties",
    "overwrite",
    "partitions",
    "rebuild",
    "restore",
)


def _again() -> dict[str, Any]:
    """Their tests, with the module in each name, and their fixtures."""
    found: dict[str, Any] = {}
    for module in MODULES:
        for name, value in vars(import_module(f"spark.test_{module}")).items():
            if name.startswith("test_"):
                found[f"test_{module}__{name.removeprefix('test_')}"] = value
            elif type(value).__name__ == "FixtureFunctionDefinition":
                found[name] = value
    return found


globals().update(_again())
