"""What a paper and the report are made of."""
