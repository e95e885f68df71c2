"""What a cell saw: event logs, owners, outcomes, coverage, one result."""
