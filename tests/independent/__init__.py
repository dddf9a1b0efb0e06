"""Other projects' implementations of transparency logs, asked by a small Go program: golang.org/x/mod/sumdb, torchwood,
transparency-dev's merkle and formats."""
