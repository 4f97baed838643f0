"""Commands of the noun `schema`: the JSON Schemas of the YAML files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from goldsmith.cli.console import print_json
from goldsmith.cli.generated import write_texts
from goldsmith.cli.groups import Panel, noun


def register(app: typer.Typer) -> None:
    """Adds the noun and its verbs."""
    group = noun(app, "schema", "JSON Schemas of the YAML files, for editors.")
    group.command(rich_help_panel=Panel.DECLARE)(generate)


def generate(
    folder: Annotated[
        str | None, typer.Argument(help="The folder to write to. Default: print them.", show_default=False)
    ] = None,
    check_only: Annotated[
        bool, typer.Option("--check", help="Write nothing; list the files that differ, and exit with 1.")
    ] = False,
) -> None:
    """Write the JSON Schemas with which editors complete and check the YAML files.

    Example: `goldsmith schema generate schema`
    """
    from goldsmith.project.schemas import json_schemas

    schemas = json_schemas()
    if folder is None:
        print_json(schemas)
        return
    texts = {
        Path(folder) / f"{name}.schema.json": json.dumps(content, indent=2) + "\n"
        for name, content in schemas.items()
    }
    write_texts(texts, check_only=check_only, current="The schemas are up to date.")
