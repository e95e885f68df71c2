"""Finds CPythons on the machine, and says how to get one that is missing."""
