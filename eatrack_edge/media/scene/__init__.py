"""A synthetic drone video: a car on a country road, seen from a moving camera above, with its true box."""
