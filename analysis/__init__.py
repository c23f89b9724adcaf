"""What is done with a model: one room a question."""
