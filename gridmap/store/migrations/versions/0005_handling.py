"""Handling: pauses, extensions asked for, new due times, and what escalates by itself exactly once"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BEFORE = (
    "'reported', 'accepted', 'handled', 'escalated', 'dispatched', 'extended', 'checked', 'closed', 'reopened',"
    " 'followed_up'"
)
SINCE = (
    "'reported', 'accepted', 'handled', 'escalated', 'dispatched', 'extension_asked', 'extended', 'paused', 'resumed',"
    " 'checked', 'closed', 'reopened', 'followed_up'"
)
RULES = {
    "automatic_escalates": "automatic_key IS NULL OR kind = 'escalated'",
    "due_set_by": "due_at IS NULL OR kind IN ('extension_asked', 'extended', 'resumed', 'reopened')",
}
KIND_RULE = "ck_incident_step_kind_known"
KEY = "uq_incident_step_incident_code_automatic_key"


def upgrade() -> None:
    op.add_column("incident_step", sa.Column("due_at", postgresql.TIMESTAMP(timezone=True), nullable=True))
    op.add_column("incident_step", sa.Column("automatic_key", sa.Text(), nullable=True))
    op.drop_constraint(op.f(KIND_RULE), "incident_step", type_="check")
    op.create_check_constraint(op.f(KIND_RULE), "incident_step", f"kind IN ({SINCE})")
    for name, rule in RULES.items():
        op.create_check_constraint(op.f(f"ck_incident_step_{name}"), "incident_step", rule)
    op.create_unique_constraint(op.f(KEY), "incident_step", ["incident_code", "automatic_key"])


def downgrade() -> None:
    op.drop_constraint(op.f(KEY), "incident_step", type_="unique")
    for name in RULES:
        op.drop_constraint(op.f(f"ck_incident_step_{name}"), "incident_step", type_="check")
    op.drop_constraint(op.f(KIND_RULE), "incident_step", type_="check")
    op.create_check_constraint(op.f(KIND_RULE), "incident_step", f"kind IN ({BEFORE})")
    op.drop_column("incident_step", "automatic_key")
    op.drop_column("incident_step", "due_at")
