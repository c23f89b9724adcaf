"""Treated against control: the likelihood of a contrast, and what it means for rates."""
