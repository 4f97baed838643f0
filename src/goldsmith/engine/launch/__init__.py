"""What starts Spark: sessions, Java, jars, the class archive, spark-submit, and the Spark master.

Nothing here reads or writes a table.
"""
