"""Breaks one thing at a time and always puts it back, also when the run that broke it is dead.

`record.py` is the undo record, on disk before anything is broken; `healing/` puts back what a record says,
with the standard library alone; `guardian/` is the process that does so when the run cannot. `fault.py` is
what a fault is; faults are made on containers, processes, by commands of the user's, or on a route.
"""
