"""A case as a folder that a person can read and run: declarations, files by step, and what to do with them."""

from __future__ import annotations

import shutil
from pathlib import Path

import yaml

from differential.batches import content
from differential.case import Case, Declared
from differential.failing import Failed

_RUN = """#!/usr/bin/env bash
# Plays this case step by step in a temporary folder and prints what does not hold.
# The project is left in the folder that it prints, for `goldsmith plan`, `table show` and `sql`.
cd "$(dirname "$0")" || exit
exec {python} -m differential.replay case.json "$@"
"""


def write_folder(case: Case, failed: Failed | None, folder: Path) -> Path:
    """Writes the case below `folder`: case.json is what runs, the rest is for reading."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "case.json").write_text(case.as_json(), encoding="utf-8")
    (folder / "goldsmith.yaml").write_text("name: differential\n")
    lines = [f"# Seed {case.seed}", ""]
    if failed is not None:
        lines += [f"{failed.kind} in {failed.table or 'the project'}:", "", "```text", failed.told, "```", ""]
    lines += ["Run `./run.sh`, or replay by hand:", ""]
    for name, declared in case.tables.items():
        _declaration(folder / "pipelines/p", name, declared)
    (folder / "pipelines/p/pipeline.yaml").write_text("description: A case.\n")
    for number, step in enumerate(case.steps, 1):
        rest = {
            key: value for key, value in step.items() if key not in ("do", "records", "header", "as", "types")
        }
        lines.append(f"{number}. {step['do']} {rest}")
        place = folder / f"step-{number:02}"
        if step["do"] == "deliver":
            file = place / "landing" / step["path"]
            file.parent.mkdir(parents=True, exist_ok=True)
            text = content(step)
            if text is None:
                from differential.machine import write_parquet

                write_parquet(step, file)
            else:
                file.with_suffix("" if file.suffix == ".gz" else file.suffix).write_text(
                    text, encoding="utf-8", newline=""
                )
        if step["do"] == "declare":
            _declaration(place / "pipelines/p", step["table"], Declared.of(step["as"]))
    (folder / "README.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    run = folder / "run.sh"
    run.write_text(_RUN.replace("{python}", "${PYTHON:-python}"))
    run.chmod(0o755)
    return folder


def _declaration(pipeline: Path, name: str, declared: Declared) -> None:
    base = pipeline / name.replace(".", "/")
    base.parent.mkdir(parents=True, exist_ok=True)
    base.with_suffix(".yaml").write_text(
        yaml.safe_dump(declared.yaml, sort_keys=False, allow_unicode=True), encoding="utf-8"
    )
    if declared.sql is not None:
        base.with_suffix(".sql").write_text(declared.sql + "\n", encoding="utf-8")
