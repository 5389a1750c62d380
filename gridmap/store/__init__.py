"""The one PostGIS: models, migrations, reads and writes of frames."""
