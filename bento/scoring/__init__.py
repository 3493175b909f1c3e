"""From credit files to decisions, reasons, explanations and counterfactuals."""
