"""Delivered files: the landing area on a disk or on S3, formats, header lines, records, exact casts to declared types.

Which files a load takes is in `run`; writing rows is in `engine.delta`.
"""
