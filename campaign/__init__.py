"""One command runs a whole test campaign against a staging system and says whether it may be released."""

__version__ = "0.1.0"
