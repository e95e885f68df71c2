"""A run on disk: what it holds, and how it is written and read."""
