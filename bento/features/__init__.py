"""Features: declared once, computed by one path for one client or many.

`definitions` says what a feature is, one module a table declares them, `catalogue` lists them, `build` computes them.
"""
