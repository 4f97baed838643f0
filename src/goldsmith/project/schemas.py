"""Generates the JSON Schemas of the YAML files from the models."""

from __future__ import annotations

from typing import Any

from goldsmith.project.dashboards import DashboardSpec
from goldsmith.project.loads import KINDS, LOADS
from goldsmith.project.models import PipelineSpec, ProjectSpec, TableSpec

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schemas() -> dict[str, dict[str, Any]]:
    """The schemas by name: project (`goldsmith.yaml`), pipeline (`pipeline.yaml`), table and dashboard."""
    table = TableSpec.model_json_schema()
    definitions = table["$defs"]
    table["properties"]["load"] = _load(definitions)
    table["properties"]["expectations"] = {
        "type": "array",
        "items": _expectation(definitions.pop("Expectation")),
    }
    long_form = definitions["Column"]
    definitions["Column"] = {"anyOf": [{"type": "string", "description": "A Spark SQL type."}, long_form]}
    project = ProjectSpec.model_json_schema()
    for named in (definitions, project["$defs"]):
        named["QuarantineLimit"] = _limit(named["QuarantineLimit"])
    pipeline = PipelineSpec.model_json_schema()
    # A schedule may be a cron expression without a mapping.
    pipeline["properties"]["schedule"]["anyOf"].insert(
        0, {"type": "string", "description": "A cron expression."}
    )
    metric = definitions["Metric"]
    definitions["Metric"] = {
        "anyOf": [{"type": "string", "description": "An aggregate in Spark SQL."}, metric]
    }
    dashboard = DashboardSpec.model_json_schema()
    row = dashboard["$defs"]["Row"]
    charts = {key: row["properties"]["charts"][key] for key in ("type", "items")}
    dashboard["$defs"]["Row"] = {"anyOf": [charts, row]}
    schemas = {
        "dashboard": dashboard,
        "table": table,
        "pipeline": pipeline,
        "project": project,
    }
    return {name: {"$schema": _DIALECT, **_names_as_lists(content)} for name, content in schemas.items()}


def _load(definitions: dict[str, Any]) -> dict[str, Any]:
    """The schema of `append` or `{merge: {...}}`: the models' tag becomes the key."""
    choices: dict[str, Any] = {}
    for load in LOADS:
        arguments = definitions.pop(load.__name__)
        kind = arguments["properties"].pop("kind")["const"]
        choices[kind] = arguments
    return {
        "description": "How rows enter the table. Default: append for bronze, overwrite for other tables.",
        "anyOf": [
            {"enum": [kind for kind in KINDS if not choices[kind].get("required")]},
            *[
                {
                    "type": "object",
                    "properties": {kind: choices[kind]},
                    "required": [kind],
                    "additionalProperties": False,
                    "description": choices[kind].get("description", ""),
                }
                for kind in KINDS
                if choices[kind]["properties"]
            ],
        ],
    }


def _limit(long_form: dict[str, Any]) -> dict[str, Any]:
    """The schema of a limit of quarantined rows, whose short forms are a percentage and a number of rows."""
    share = long_form["properties"]["share"]["anyOf"][0]
    return {
        "anyOf": [share, {"type": "integer", "minimum": 0, "description": "A number of rows."}, long_form]
    }


def _expectation(model: dict[str, Any]) -> dict[str, Any]:
    """The schema of `{expect_...: {arguments}, otherwise: ...}` or `{condition: SQL, name: ..., otherwise: ...}`."""
    shared = {key: value for key, value in model["properties"].items() if key not in ("kind", "arguments")}
    by_name = {
        "type": "object",
        "patternProperties": {"^expect_": {"type": "object"}},
        "properties": shared,
        "additionalProperties": False,
    }
    condition = {
        "type": "object",
        "properties": {
            "condition": {"type": "string", "description": "A SQL condition that valid rows meet."},
            **shared,
        },
        "required": ["condition", "name"],
        "additionalProperties": False,
    }
    return {"description": model.get("description", ""), "anyOf": [condition, by_name]}


def _names_as_lists(schema: Any) -> Any:
    """The schema with a single name allowed wherever a list of names is."""
    if isinstance(schema, dict):
        done = {key: _names_as_lists(value) for key, value in schema.items()}
        if done.get("type") == "array" and done.get("items") == {"type": "string"}:
            described = {key: done.pop(key) for key in ("description", "title", "default") if key in done}
            return {**described, "anyOf": [{"type": "string"}, done]}
        return done
    if isinstance(schema, list):
        return [_names_as_lists(item) for item in schema]
    return schema
