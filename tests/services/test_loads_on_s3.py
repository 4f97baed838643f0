"""What holds for loads and for the protocol on a disk holds on S3: the same tests, with another home."""

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
    """Their tests, by names that tell the module, and their fixtures."""
    found: dict[str, Any] = {}
    for module in MODULES:
        for name, value in vars(import_module(f"spark.test_{module}")).items():
            if name.startswith("test_"):
                found[f"test_{module}__{name.removeprefix('test_')}"] = value
            elif type(value).__name__ == "FixtureFunctionDefinition":
                found[name] = value
    return found


globals().update(_again())
