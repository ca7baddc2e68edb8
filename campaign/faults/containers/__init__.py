"""Faults on containers: which engine, which container, what is done to it, and what proves it.

`place.py` finds the engine and `engine.py` asks it; `choosing.py` finds the container the file means;
`seen.py` is what the engine says of it and `kernel.py` what the host's kernel says. `fault.py` is what all
these faults share; `down.py`, `frozen.py`, `squeezed.py` and `offline.py` are the faults.
"""
