"""The designs of the next trial, one module each, and what they share."""
