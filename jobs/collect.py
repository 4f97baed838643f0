"""Collects DQOps' results into the lake, as `goldsmith dqops pull`, with the same arguments and exit codes.

spark-submit jobs/collect.py --profile cluster
"""

import sys

from goldsmith.cli.main import run

if __name__ == "__main__":
    run(["dqops", "pull", *sys.argv[1:]])
