"""What `goldsmith check` refuses beyond one file: names, columns, types, schedules, dashboards, loads that do not suit their query.

What one file alone must look like is in the models beside this package.
"""
