"""Users written in Python, for what the campaign file cannot say: the class to extend, and who runs it."""
