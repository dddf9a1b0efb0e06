"""The pages, in Chinese and English: one file per page."""
