"""Who can be reached, how, and when. Pure."""
