"""How often the guard errs, on data with known defects and without."""
