"""Sets of files for a paper: figures, captions, tables, a checklist."""
