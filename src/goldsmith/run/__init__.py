"""The run protocol: what a load plans, reads, judges and commits, how a killed run is recovered, what a run records.

Spark and Delta by themselves are in `engine`.
"""
