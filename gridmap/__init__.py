"""Area-grid mapping and patrol analytics for a township (乡镇网格一张图)."""
