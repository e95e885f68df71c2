"""Keeps the code of a target off the network and out of your files: Linux namespaces."""
