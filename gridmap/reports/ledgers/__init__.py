"""The three ledgers (台账): people, patrols, points, and the lists of the grids."""
