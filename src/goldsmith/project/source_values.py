"""Checks of single values in the declarations of sources: paths, functions and lengths. Each raises ValueError."""

from __future__ import annotations

from goldsmith.project.scheduling import as_duration


def below_landing(files: str) -> str:
    """Checks that a glob stays below the landing folder."""
    return _below("the landing folder", files)


def below_address(files: str) -> str:
    """Checks that a glob stays below the address of a bucket."""
    return _below("the connection's `url`", files)


def _below(root: str, files: str) -> str:
    parts = files.split("/")
    if files.startswith(("/", "~")) or "://" in files or ".." in parts:
        raise ValueError(f"`source.files` must stay below {root}, and `{files}` leaves it")
    if "" in parts or "." in parts or "\\" in files:
        raise ValueError(f"`source.files` is a path with single slashes and without `.`, not `{files}`")
    return files


def function_path(path: str) -> str:
    """Checks the path `module:function`."""
    module, _, function = path.partition(":")
    if module.endswith(".py"):
        raise ValueError(
            f"`{path}` names the module without its suffix: `{module.removesuffix('.py')}:{function}`"
        )
    if not all(part.isidentifier() for part in (*module.split("."), function)):
        raise ValueError(f"`{path}` is not `module:function`, such as `api:orders` for `orders` in api.py")
    return path


def length_or_number(value: str | int) -> str | int:
    """Checks a length of time, or a number."""
    if isinstance(value, str):
        as_duration(value)
    elif value < 1:
        raise ValueError("`overlap` is at least 1")
    return value
