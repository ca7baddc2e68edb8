"""The built-in phases; each is found through its entry point, like anybody's, and none imports another."""
