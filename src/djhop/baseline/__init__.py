"""The list of what is known to break, and to be deprecated, held against a run."""
