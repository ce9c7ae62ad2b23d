"""The browser ground station: a page with the live picture, on which a target is drawn."""
