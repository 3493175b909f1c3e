"""Features: declared once, computed by one path for one client or many.

`definitions` says what a feature is, `formulas` what formulas share; one module a table declares the features,
`catalogue` lists them, `build` computes them.
"""
