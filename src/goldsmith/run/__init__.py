"""The run protocol: plans, reads, evaluates and commits loads, recovers killed runs, records runs.

`engine` has Spark and Delta.
"""
