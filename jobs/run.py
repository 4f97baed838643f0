"""Loads tables, as `goldsmith run`, with the same arguments, summary and exit codes.

spark-submit jobs/run.py --profile cluster flights --from 2013-01-01 --to 2013-01-08
"""

import sys

from goldsmith.cli.main import run

if __name__ == "__main__":
    run(["run", *sys.argv[1:]])
