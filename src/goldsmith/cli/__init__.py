"""The command `goldsmith`: one module for each group of commands, and how results, progress and errors are printed.

What a command does is in `run` and `publish`; nothing here reads or writes a table.
"""
