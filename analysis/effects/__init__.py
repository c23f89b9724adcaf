"""Treated against control: what an evidence says of effects, and whether that may be believed."""
