"""Runs seeds: `python -m differential --seeds 0:2000 --jobs 2`."""

from __future__ import annotations

from differential.running import main

if __name__ == "__main__":
    raise SystemExit(main())
