"""The load generator: who sends when (scenario, users), how (transport, engine), and what came of it
(recorder).
"""
