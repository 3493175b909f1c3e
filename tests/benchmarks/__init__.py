"""Benchmarks of the feature path: offline, online and behind HTTP, compared with the same work in pandas."""
