"""Who takes part: principals of each role, made by operations of the campaign file and removed at the end."""
