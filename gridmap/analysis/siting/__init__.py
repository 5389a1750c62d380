"""Where n more points help most: covering problems solved with proof."""
