"""The help of the command, and the page docs/cli.md generated from it."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from goldsmith.cli.groups import Panel, commands_of
from goldsmith.cli.main import app
from goldsmith.cli.reference import EXIT_CODES, reference
from goldsmith.errors import Exit
from support.command import command

ROOT = Path(__file__).parents[2]
COMMAND = typer.main.get_command(app)
assert isinstance(COMMAND, TyperGroup)
COMMANDS: dict[str, Any] = dict(commands_of(COMMAND))
SHORT = {"init", "check", "plan", "run", "status", "sql", "report"}


def test_page_of_commands_is_up_to_date() -> None:
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert page == reference(), "Run `make reference`."


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_is_a_line_and_an_example(name: str) -> None:
    summary, example, *_ = inspect.cleandoc(COMMANDS[name].help).split("\n\n")
    assert "\n" not in summary
    assert re.fullmatch(r"[A-Z][a-z-]+ .*\.", summary)
    assert re.fullmatch(r"Example: `goldsmith (--profile \w+ )?([^`]+)`", example)
    assert f" {name}" in example


def test_commands_except_the_short_ones_are_a_noun_and_a_verb() -> None:
    assert {name for name in COMMANDS if " " not in name} == SHORT
    assert all(name.count(" ") == 1 for name in COMMANDS.keys() - SHORT)


@pytest.mark.parametrize("word", sorted({name.split()[0] for name in COMMANDS}))
def test_command_is_in_the_module_of_its_first_word(word: str) -> None:
    assert (ROOT / "src" / "goldsmith" / "cli" / f"{word}.py").is_file()


def test_panel_of_read_only_commands() -> None:
    assert {name for name, each in COMMANDS.items() if each.rich_help_panel == Panel.LOOK} == {
        "status",
        "sql",
        "table show",
        "quarantine list",
        "quarantine show",
    }


def test_each_exit_code_is_explained() -> None:
    assert {int(code) for code in Exit} < EXIT_CODES.keys()


def test_help_lists_every_command_in_its_panel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    ended = command(monkeypatch, capsys)("--help", folder=tmp_path)
    lines = ended.out.splitlines()
    panel, listed = "", {}
    for line in lines:
        title = re.match(r"╭─ (.+?) ─", line)
        row = re.match(r"│ (\w+(?: \w+)?)  ", line)
        panel = title[1] if title else panel
        if row and panel in list(Panel):
            listed[row[1]] = panel
    assert listed == {name: each.rich_help_panel for name, each in COMMANDS.items()}
    assert list(dict.fromkeys(listed.values())) == list(Panel)


def test_readme_and_operating_link_to_the_page() -> None:
    assert "(docs/cli.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert "(cli.md)" in (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "suggested"),
    [
        (["show", "gold.x"], "'table show' or 'quarantine show'"),
        (["push", "superset"], "'superset push' or 'dqops push'"),
        (["tabel", "show"], "'table'"),
    ],
)
def test_verb_without_its_noun_suggests_the_nouns(
    words: list[str],
    suggested: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    ended = command(monkeypatch, capsys)(*words, folder=tmp_path)
    assert ended.code == Exit.WRONG_CALL
    assert f"No such command '{words[0]}'. Did you mean {suggested}?" in ended.err
