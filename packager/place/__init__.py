"""What goes where: the planner, its cost model, and layers across functions."""
