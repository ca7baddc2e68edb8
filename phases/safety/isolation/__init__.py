"""The access matrix: everybody tries everything on everybody's data. A status code decides nothing: the owner
looks afterwards, and so do we in the database.
"""
