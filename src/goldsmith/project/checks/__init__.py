"""Checks across files: names, columns, types, schedules, dashboards, loads that do not fit their query.

The models of `goldsmith.project` validate each file by itself.
"""
