"""Design and monitoring of the next trial, one module a design."""
