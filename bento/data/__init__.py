"""The seven tables: declared, read, validated and cleaned; knows no feature, no model and no HTTP."""
