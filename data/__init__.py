"""The evidence and how it is read, checked, selected from and exported."""
