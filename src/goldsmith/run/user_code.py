"""Runs a project's own code, feeds and Python tables, and describes its errors."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPException
from importlib import invalidate_caches
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import module_from_spec
from pathlib import Path
from socket import gaierror
from threading import RLock
from types import ModuleType

from goldsmith.errors import Where

_NETWORK = (ConnectionError, TimeoutError, gaierror, HTTPException)
_STACK = ("at ", "Traceback (most recent call last)", "JVM stacktrace", "Driver stacktrace")
_LONGEST = 500
_IMPORTING = RLock()
_RETRYABLE = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)


def execute(name: str, file: Path) -> ModuleType:
    """Executes a file of the project as a module of this name. Raises whatever its code raises.

    While it is executed, it can import other files of its folder. Each file that is executed gets its own copy of them,
    because two pipelines may have files of one name. Installed packages come first.
    """
    loader = SourceFileLoader(name, str(file))
    spec = ModuleSpec(name, loader, origin=str(file))
    spec.has_location = True
    module = module_from_spec(spec)
    # Dataclasses look up their module by its name.
    sys.modules[name] = module
    with _importing_from(file.parent.resolve()):
        loader.exec_module(module)
    return module


@contextmanager
def _importing_from(folder: Path) -> Iterator[None]:
    """Imports modules from a folder too, and forgets those of the folder in the end."""
    # Tables are loaded in threads, which share the path and the modules.
    with _IMPORTING:
        former = set(sys.modules)
        sys.path.append(str(folder))
        # Files that were written since the folder was listed are found.
        invalidate_caches()
        try:
            yield
        finally:
            sys.path.remove(str(folder))
            for name in set(sys.modules) - former:
                if any(Path(place).resolve().is_relative_to(folder) for place in _places(sys.modules[name])):
                    del sys.modules[name]


def _places(module: ModuleType) -> list[str]:
    """The file of a module, or the folders of a package without a file."""
    file = getattr(module, "__file__", None)
    return [file] if file is not None else list(getattr(module, "__path__", ()))


def one_line(error: BaseException) -> str:
    """An exception on one line: its type and message, without a stack in the message."""
    lines = []
    for line in str(error).splitlines():
        if line.lstrip().startswith(_STACK):
            break
        lines.append(line)
    text = " ".join(" ".join(lines).split())
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."
    return f"{type(error).__name__}: {shown}" if shown else type(error).__name__


def raised_at(error: BaseException, file: Path, table: str | None = None) -> Where:
    """The line of the project's code that raised an exception: the innermost one in the file's folder.

    file: the file that was called, which is returned if no line is known.
    """
    folder = file.parent.resolve()
    if isinstance(error, SyntaxError) and error.filename and Path(error.filename).resolve() == file.resolve():
        return Where(file=file, line=error.lineno, table=table)
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if path.is_absolute() and path.resolve().is_relative_to(folder):
            return Where(file=path, line=frame.lineno, table=table)
    return Where(file=file, table=table)


def is_network_error(error: BaseException) -> bool:
    """Whether the network or a server caused an exception, so that a retry may succeed."""
    for each in _causes(error):
        status = _http_status(each)
        if status is not None:
            return status in _RETRYABLE or status >= HTTPStatus.INTERNAL_SERVER_ERROR
        if isinstance(each, _NETWORK):
            return True
    return False


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An exception and its causes, as network libraries wrap them."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        each = waiting.pop(0)
        if isinstance(each, BaseException) and id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting += [getattr(each, "reason", None), each.__cause__, each.__context__]


def _http_status(error: BaseException) -> int | None:
    """The HTTP status of an exception of urllib, requests, httpx or aiohttp."""
    response = getattr(error, "response", None)
    for owner, name in ((error, "code"), (error, "status"), (response, "status_code"), (response, "status")):
        status = getattr(owner, name, None)
        if isinstance(status, int) and HTTPStatus.BAD_REQUEST <= status < 600:  # noqa: PLR2004
            return status
    return None
