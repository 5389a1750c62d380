"""The invented township 青石乡: land, water, lanes, homes, grids, people and thirteen months of work."""
