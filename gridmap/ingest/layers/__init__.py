"""One module a layer: raw tables in, a checked frame and the books out."""
