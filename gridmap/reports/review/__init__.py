"""The monthly review (月度评审): one report of a month, as known on a day, frozen and reproduced to the digit."""
