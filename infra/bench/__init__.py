"""Benchmarks: ours beside a stock application and beside what the machine could do, in one run on the same servers."""
