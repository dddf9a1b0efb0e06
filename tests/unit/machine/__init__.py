"""A life by chance for the whole domain, and what must hold in it whatever happens."""
