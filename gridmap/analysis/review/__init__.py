"""The figures of a month from frames: the same for one township and for each of a province."""
