"""One module a figure; nothing here computes a result."""
