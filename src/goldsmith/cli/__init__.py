"""The command `goldsmith`: one module for each noun (`table show` is in `table`) and for each short command (`run`).

`groups`, `options` and `opening` are shared by commands; `console` and `progress` print. Commands call `run` and
`publish` for the work; nothing here reads or writes a table.
"""
