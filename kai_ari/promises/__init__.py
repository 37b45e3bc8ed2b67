"""What Kai owes to callers, and what it may say about it. Pure."""
