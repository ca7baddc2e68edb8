"""Patterns of statements run by the load engine's users, for the parts `workload`, `queries` and `pool`.

`run.py` runs them and says what they came to; in a worker `life.py` is one user with a connection of its own,
`pieces.py` a pattern made ready, `links.py` the driver's connection behind one protocol. `figures.py` makes
plain data and measurements of an outcome.
"""
