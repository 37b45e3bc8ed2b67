"""What a call is: its identity, its events, and the outcome that follows from them. Pure."""
