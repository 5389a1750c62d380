"""Read use cases: each returns a frozen dataclass."""
