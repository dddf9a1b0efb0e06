"""File formats of others, such as 双公示."""
