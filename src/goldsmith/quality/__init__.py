"""Expectations: the catalogue of their kinds, how rows are judged, and Great Expectations for the others.

What happens to failing rows is in `run`; how they are kept is in `engine.delta.quarantine`.
"""
