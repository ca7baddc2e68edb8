"""The part `invariants`.

Right answers under stress: transfers, list-append histories, atomicity, races on constraints.
"""
