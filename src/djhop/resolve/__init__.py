"""The exact packages of a cell: what uv is asked, in which order, and what it answers."""
