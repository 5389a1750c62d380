"""The path network: built from lines, places on it, ways along it, and the ground that is reached."""
