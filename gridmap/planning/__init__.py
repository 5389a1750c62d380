"""Pure functions that divide ground into grids: units in, plans out."""
