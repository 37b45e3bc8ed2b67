"""After the call: what is owed is done, with evidence, or shown until somebody does it."""
