"""Points of the grid teams (网格员+积分): what is counted, what it earns, and how people and grids compare."""
