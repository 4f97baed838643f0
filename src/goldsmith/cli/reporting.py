"""Where the report is written, and what is printed of it."""

from __future__ import annotations

import os
from pathlib import Path

from goldsmith.cli.console import out

FILE, URL = "GOLDSMITH_REPORT_FILE", "GOLDSMITH_REPORT_URL"


def report_file(root: Path) -> Path:
    """The file that GOLDSMITH_REPORT_FILE names, else `.goldsmith/report.html` of the project."""
    named = os.environ.get(FILE)
    return Path(named) if named else root / ".goldsmith" / "report.html"


def tell_report(written: Path, root: Path) -> None:
    """Prints where the report is: its address where the project's own report is served at one, else the file."""
    address = os.environ.get(URL)
    is_served = bool(address) and bool(os.environ.get(FILE)) and written == report_file(root).resolve()
    out.print(f"Report: {address if is_served else written}", soft_wrap=True)
