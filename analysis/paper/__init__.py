"""What a paper and the report are made of: exhibits, captions, tables, sentences."""
