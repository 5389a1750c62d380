"""Write use cases: one transaction each."""
