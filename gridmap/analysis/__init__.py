"""Pure functions from frames to frames: no database, file, clock or random state of their own."""
