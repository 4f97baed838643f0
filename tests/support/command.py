"""The command run in this process, which saves starting an interpreter: its output and exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pytest

from goldsmith.cli.main import run


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


Command = Callable[..., Ended]


def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """A function that runs `goldsmith` with arguments in a folder."""

    def goldsmith(*arguments: str, folder: Path) -> Ended:
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["goldsmith", *arguments])
        capsys.readouterr()
        # The command passes its options to later steps in the environment.
        with mock.patch.dict(os.environ), pytest.raises(SystemExit) as ended:
            run()
        captured = capsys.readouterr()
        return Ended(int(ended.value.code or 0), captured.out, captured.err)

    return goldsmith
