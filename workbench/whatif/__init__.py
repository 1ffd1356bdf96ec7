"""What would happen if: questions over a workspace's state. Each is a pure function; screens and commands show its answer."""
