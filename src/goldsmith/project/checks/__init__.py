"""What `goldsmith check` refuses beyond one file: names, columns, types, schedules, dashboards, unsuitable loads.

What one file alone must look like is in the models beside this package.
"""
