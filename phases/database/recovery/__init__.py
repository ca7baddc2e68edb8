"""The part `recovery`.

Connections killed, server restarted or frozen: errors, time to healthy, acknowledged writes lost.

`disturbances.py` names what may be done and `strikes.py` does it, `trial.py` is one disturbance from calm to
calm again, `writers.py` keep writing meanwhile, each write an `attempt.py`. `pooled.py` is the pool they
share, `commands.py` runs what the user gave, `witness.py` asks the server what happened to it and reads our
rows back. `figures.py` makes numbers of it and `judge.py` findings.
"""
