"""What was acknowledged, written down before anything relies on it, and compared with what is there.

`entry.py` is one line of the file, `writer.py` the ledger that is written while the target is disturbed,
`book.py` what the file says afterwards, `comparison.py` holds it against what was found, `moments.py` says
when it failed and when it was well again. It knows neither what a write is nor how it is sent.
"""
