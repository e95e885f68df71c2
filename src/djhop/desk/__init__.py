"""One hop while somebody works on it: in which order its cells run, and what need not be run."""
