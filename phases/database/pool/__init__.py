"""The part `pool`: how many connections are enough: sweep, exhaustion, leak, churn, and the size we would recommend."""
