"""The HTTP doors: the API, the pages and what both stand on."""
