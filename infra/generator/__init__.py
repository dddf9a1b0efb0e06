"""A realistic year of Inner Mongolia, with the truth beside it."""
