"""The report: one page that stands alone, and the files behind it."""
