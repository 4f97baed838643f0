"""Delivered files: the landing area on a disk or S3, formats, headers, records, exact casts to declared types.

`run` selects the files of a load; `engine.delta` writes rows.
"""
