"""The target's database as phases see it: where it is, what it says of itself, and tables of our own in it.

`address.py` reads the URL and picks the drivers, `failure.py` says what a driver's exception means,
`server.py` is an open database (a small pool for control, the list of sessions), `territory.py` a schema or
prefix of our own that is dropped afterwards, whatever happened. Nothing here judges.
"""
