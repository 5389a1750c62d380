"""Files from outside to checked frames."""
