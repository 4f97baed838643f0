"""The command that keeps tables' files in order: maintain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from goldsmith.cli.console import error_as_dict, out, plural, table, tell_error, tell_json
from goldsmith.cli.opening import open_project, open_spark, profile_name
from goldsmith.errors import Exit

if TYPE_CHECKING:
    from goldsmith.run.maintaining import MaintenanceResult


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(rich_help_panel="Keep")(maintain)


def maintain(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Pipelines, layers or tables; all, and ops, where none is named."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
    parallel: Annotated[
        int | None, typer.Option("--parallel", min=1, help="How many tables side by side.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Put small files together and remove those that nobody reads any more; no row changes.

    Quarantines and the platform's own tables are seen to as well. Versions stay readable for as long as a table says
    (delta.deletedFileRetentionDuration, 7 days where unsaid), and for as long as another table has them to take in.
    """
    project = open_project()
    chosen = project.select(tuple(names or ()))
    from goldsmith.run.context import Run
    from goldsmith.run.maintaining import maintain

    profile = project.profile(profile_name())
    with open_spark(project, quiet=as_json) as spark:
        run = Run.begin(project, profile_name())
        width = parallel or profile.parallel
        done = maintain(spark, run, chosen, ops=not names, dry_run=dry_run, parallel=width)
    if as_json:
        tell_json([_as_dict(each) for each in done])
    else:
        _tell(done, dry_run=dry_run)
    raise typer.Exit(Exit.FAILED if any(each.error for each in done) else Exit.DONE)


def _tell(done: tuple[MaintenanceResult, ...], *, dry_run: bool) -> None:
    rows = [
        (each.table, each.files, _put_together(each), each.removed or None, _kept(each))
        for each in done
        if each.error is None
    ]
    out.print(table(("table", "files", "put together", "removed", "kept"), rows))
    for each in done:
        if each.error is not None:
            tell_error(each.error)
    removed = sum(each.removed for each in done)
    if dry_run:
        out.print(f"\n{plural(removed, 'file')} would be removed. Nothing was changed.")
    else:
        fewer = sum(each.compacted[0] - each.compacted[1] for each in done if each.compacted)
        out.print(f"\n{plural(fewer, 'file')} fewer in use, {plural(removed, 'old file')} removed.")


def _put_together(each: MaintenanceResult) -> str | None:
    if not each.compacted or each.compacted == (0, 0):
        return None
    return f"{each.compacted[0]} into {each.compacted[1]}"


def _kept(each: MaintenanceResult) -> str:
    days = f"{each.kept_hours / 24:.0f} days"
    return f"all, {each.held_by} has to read it" if each.held_by else days


def _as_dict(each: MaintenanceResult) -> dict[str, Any]:
    fields = ("table", "files", "compacted", "removed", "kept_hours", "held_by")
    told = {name: getattr(each, name) for name in fields}
    return {**told, "error": error_as_dict(each.error) if each.error else None}
