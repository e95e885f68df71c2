"""A run → text, Markdown and JSON; every format says the numbers of one summary."""
