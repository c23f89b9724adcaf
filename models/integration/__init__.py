"""What the exact engine is made of: grids, tables, posteriors, predictions."""
