"""Starts and ends processes; nothing else in djhop does."""
