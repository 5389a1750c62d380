"""Where incidents cluster, when, and how sure that is: counts against households, corrected for many tests."""
