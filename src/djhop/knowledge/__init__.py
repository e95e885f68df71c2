"""What Django, Python and setuptools have removed, and which failure or warning tells of it."""
