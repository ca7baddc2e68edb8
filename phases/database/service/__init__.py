"""The part `service`.

What the service does with its database, seen through its API: races, leaks, statements per request.
"""
