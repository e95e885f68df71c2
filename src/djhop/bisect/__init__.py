"""Which axis, series, release or package version a break came in with."""
