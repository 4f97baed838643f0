"""The declared pools as the file for `airflow pools import`. Without Airflow."""

from __future__ import annotations

import json

from goldsmith.project.pipelines import Project


def pools_file(project: Project) -> str:
    """The file's text: the slots of goldsmith.yaml, and the pipelines that share them."""
    pools = {
        name: {"slots": slots, "description": _users(project, name), "include_deferred": False}
        for name, slots in sorted(project.spec.pools.items())
    }
    return json.dumps(pools, indent=2) + "\n"


def _users(project: Project, pool: str) -> str:
    names = sorted(pipeline.name for pipeline in project.pipelines.values() if pipeline.spec.pool == pool)
    return "Tasks of " + ", ".join(names) if names else "Used by no pipeline"
