"""The synthetic drone scene behind ``test://``."""
