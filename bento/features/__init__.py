"""Features: declared once, computed by one path for one client or many.

`definitions` says what a feature is, `formulas` what formulas share; one module a table declares the features, with
`repayments` and `debts` for the rows of instalments and of earlier credits; `catalogue` lists them, `build` computes
them. `formula_text` and `reading` put into words how, `listing` prints it.
"""
