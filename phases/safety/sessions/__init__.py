"""Authentication and sessions: what is no good token is refused, what has ended stays ended, and nobody makes
more of itself than it is.
"""
