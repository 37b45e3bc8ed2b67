"""The conversation: what was meant, what to say next, when a turn has ended. Pure."""
