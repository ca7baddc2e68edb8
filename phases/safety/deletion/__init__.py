"""What a parent deletes is gone, everywhere and for good, nothing else is, and the export has all of it."""
