"""The verdict on a built artifact: limits, budgets, growth against a baseline."""
