"""Services that a matrix asks for: started once for a run, and always ended."""
