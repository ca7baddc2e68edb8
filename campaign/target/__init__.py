"""The system under test: what it offers, how a request to it is built, and what we may send it."""
