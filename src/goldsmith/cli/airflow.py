"""Commands of the noun `airflow`: what Airflow reads beside the DAGs."""

from __future__ import annotations

from typing import Annotated

import typer

from goldsmith.cli.generated import write_texts
from goldsmith.cli.groups import Panel, noun
from goldsmith.cli.opening import open_project


def register(app: typer.Typer) -> None:
    """Adds the noun and its verbs."""
    group = noun(app, "airflow", "Airflow, which runs the pipelines on schedule.")
    group.command(rich_help_panel=Panel.PUBLISH)(generate)


def generate(
    check_only: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 if the file differs.")
    ] = False,
) -> None:
    """Write Airflow's pools to `airflow/pools.json`.

    Example: `goldsmith airflow generate --check`
    """
    from goldsmith.publish.airflow.pools import pools_file

    project = open_project()
    texts = {project.root / "airflow" / "pools.json": pools_file(project)}
    write_texts(texts, check_only=check_only, current="The pools are up to date.")
