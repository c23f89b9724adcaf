"""What the guard looks at: discrepancies, what is left out, the review, planted defects."""
