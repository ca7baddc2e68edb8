"""The process that puts things back when the run cannot: in its own session, on the standard library alone.

`program.py` is its loop: it listens to the run on standard input, one JSON object a line, and answers on
standard output. The run's lease (`lease.py`) ends with that pipe, or when its heartbeat stays away; a fault's
hard deadline ends that fault whatever the run does. Then `healer.py` puts back what the undo records on disk
say. `routes.py` are the routes of a TCP fault proxy, which lives here so that a dead run does not cut them.
"""
