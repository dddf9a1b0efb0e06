"""One file answers one question: its tables, its event handlers, its queries."""
