"""A lock installed: environments, tools beside them, bytecode, the project itself."""
