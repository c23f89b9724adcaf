"""Every figure of the set, drawn from Python."""
