"""DQOps: its user home from the declarations, its checks as a gate, its results in the lake."""
