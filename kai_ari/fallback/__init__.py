"""What Kai tries when it cannot finish alone, and what comes next. Pure."""
