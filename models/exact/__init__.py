"""The hierarchy integrated: grids, tables, posteriors, predictions, draws."""
