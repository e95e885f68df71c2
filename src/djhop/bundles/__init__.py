"""Cells that were run on several machines: what each hands over, and one run made of all."""
