"""A cell's private copy of the target."""
