"""What Superset needs to read Spark's Thrift Server."""
