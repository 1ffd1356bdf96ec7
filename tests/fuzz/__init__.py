"""Coverage-guided fuzz targets for everything that reads what somebody else wrote; see `harness`."""
