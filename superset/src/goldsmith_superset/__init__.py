"""Superset's dialect, engine spec and extensions for Spark's Thrift Server."""
