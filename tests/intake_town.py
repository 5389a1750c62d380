"""The tiny township with teams, checkpoints and this year's list, for what comes in; emptied of facts between tests."""

from sqlalchemy import Engine, text

from tests.busy import write_checkpoints, write_team
from tests.tiny import load_tiny_township, write_categories


def make_town(engine: Engine) -> None:
    """Write the township: a member and a chief in its first grid, four open checkpoints, five categories."""
    with engine.begin() as connection:
        load_tiny_township(connection)
        write_team(connection)
        write_checkpoints(connection)
        write_categories(connection)


def forget_facts(engine: Engine) -> None:
    """Take away what tests sent; only the owner of the database can, past the rules that keep facts."""
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for table in ("incident_photo", "intake_receipt", "incident_step", "incident", "checkin"):
            connection.execute(text(f"DELETE FROM {table}"))
        connection.execute(text("DELETE FROM intake_source WHERE kind <> 'resident'"))
