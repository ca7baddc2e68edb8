"""Puts back what an undo record says. Standard library only: it runs in the guardian, in a few megabytes.

`put_back.py` picks who does it: `container.py` asks an engine (over `engine.py`, the little HTTP that takes),
`process.py` and `command.py` this machine; a route is cleared by the guardian, which holds it. All of it is
idempotent, looks first, touches only what differs, and looks again whether it worked.
"""
