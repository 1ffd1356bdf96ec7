"""Where tenants come from: files and databases, streamed as Arrow batches, and never written to."""
