"""The part `invariants`: right answers under stress: transfers, list-append histories, atomicity, races on constraints."""
