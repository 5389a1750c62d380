"""Ended areas: a village that was merged into another leaves no gap in the plans after it"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_LEVEL = "village.level = 'village'"
_STANDING = f"{_LEVEL} AND daterange(village.valid_from, village.valid_until) @> coalesce(checked.valid_from, CURRENT_DATE)"


def _rewrite(before: str, after: str) -> None:
    """Rewrite which villages the function that judges plans asks for."""
    bind = op.get_bind()
    source = bind.execute(sa.text("SELECT pg_get_functiondef('gridmap_plan_faults(integer)'::regprocedure)")).scalar_one()
    bind.exec_driver_sql(source.replace(before, after).replace("%", "%%"))


def upgrade() -> None:
    _rewrite(_LEVEL, _STANDING)


def downgrade() -> None:
    _rewrite(_STANDING, _LEVEL)
