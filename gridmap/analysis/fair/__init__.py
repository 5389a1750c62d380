"""Fair workload: what a grid may be expected to carry, and how sure it is that it carries more."""
