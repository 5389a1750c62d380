"""The live wall: one screen, refreshed by itself."""

from gridmap.texts import t
from gridmap.ui import shell
from gridmap.ui.roles import require_role

require_role("viewer")
shell.office_page(t("shell.live"))
