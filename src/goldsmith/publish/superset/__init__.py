"""Superset assets generated from the declarations, as files and in a running Superset.

`project.dashboards` declares them. The plug-in that runs in Superset is in `superset/`.
"""
