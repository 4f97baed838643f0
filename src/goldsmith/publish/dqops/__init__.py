"""DQOps: its user home from the declarations, its checks as a gate, its results in the lake.

`quality` compiles the expectations. Gates of a load itself are in `run.gate`.
"""
