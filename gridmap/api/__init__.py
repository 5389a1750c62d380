"""HTTP routes served beside the dashboard."""
