"""The part `pool`.

How many connections are enough: sweep, exhaustion, leak, churn, and the size we would recommend.
"""
