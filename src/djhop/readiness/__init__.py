"""Whether a release is ready for a Django: a run's record → facts → gates → one verdict; pure."""
