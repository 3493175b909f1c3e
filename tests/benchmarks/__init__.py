"""What the one path costs: offline, online and behind HTTP, beside the same job in the usual pandas style."""
