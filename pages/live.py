"""The live wall: one screen, refreshed by itself."""

from gridmap.ui import wall
from gridmap.ui.roles import require_role

require_role("viewer")
wall.draw()
