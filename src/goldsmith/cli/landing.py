"""Commands of the noun `landing`: the folder or bucket that files are delivered to."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from goldsmith.cli.console import out, plural, print_warning, styled
from goldsmith.cli.groups import Panel, noun
from goldsmith.cli.opening import open_project, profile_name
from goldsmith.errors import DeclarationError

if TYPE_CHECKING:
    from goldsmith.project.pipelines import Project


def register(app: typer.Typer) -> None:
    """Adds the noun and its verbs."""
    group = noun(app, "landing", "The landing folder, to which files are delivered.")
    group.command(rich_help_panel=Panel.LOAD)(put)


def put(
    file: Annotated[str, typer.Argument(help="The file; `-` reads standard input.")],
    to: Annotated[
        str,
        typer.Argument(
            help="Its path below the landing folder, as orders/2026-01-05.csv. A path that ends with / keeps the"
            " file's name."
        ),
    ],
    size: Annotated[
        int | None, typer.Option("--size", min=0, help="The file's size in bytes; another size is refused.")
    ] = None,
) -> None:
    """Deliver a file to the landing folder, complete or not at all.

    Example: `goldsmith landing put new.csv orders/`
    """
    from goldsmith.engine.ingest.landing import landing_at

    project = open_project()
    path = _path(file, to)
    content = _content(file, size)
    landing = landing_at(project.profile(profile_name()).landing)
    is_new = landing.deliver(path, content)
    summary = f" {path} to {landing.place}, {plural(len(content), 'byte')}."
    out.print(
        styled(("Delivered", "green"), summary)
        if is_new
        else f"{path} was delivered before, with the same content.",
        soft_wrap=True,
    )
    readers = readers_of(project, path)
    if readers:
        out.print(f"Read by {', '.join(readers)}.", soft_wrap=True)
    else:
        print_warning(f"No table reads {path}: {_patterns(project)}")


def readers_of(project: Project, path: str) -> tuple[str, ...]:
    """The tables whose source matches a path below the landing folder."""
    from goldsmith.engine.ingest.landing import matches

    names = path.split("/")
    return tuple(name for name, glob in project.globs.items() if matches(glob.split("/"), names))


def _patterns(project: Project) -> str:
    found = [f"{name} reads {glob}" for name, glob in project.globs.items()]
    return f"{'; '.join(found)}." if found else "the project declares no table with `source.files`."


def _path(file: str, to: str) -> str:
    if not to.endswith("/"):
        return to
    if file == "-":
        raise DeclarationError(
            "GS504",
            "Standard input has no file name.",
            hint=f"Name the file: `goldsmith landing put - {to}NAME`.",
        )
    return to + Path(file).name


def _content(file: str, size: int | None) -> bytes:
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise DeclarationError(
            "GS504",
            f"{file} cannot be read: {error.strerror or error}.",
            hint="Name a file that exists and that you may read.",
        ) from None
    if size is not None and len(content) != size:
        raise DeclarationError(
            "GS504",
            f"{plural(len(content), 'byte')} arrived instead of {size}. Nothing was delivered.",
            hint="Deliver it again; do not write to a file while it is delivered.",
        )
    return content
