"""Starts Spark: sessions, Java, jars, the class archive, spark-submit, the Spark master.

This package neither reads nor writes tables.
"""
