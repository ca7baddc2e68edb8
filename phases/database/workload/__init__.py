"""The part `workload`.

How fast the database answers a child-companion service's statements, in tables of our own.
"""
