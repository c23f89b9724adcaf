"""What is done with a model: one module a question."""
