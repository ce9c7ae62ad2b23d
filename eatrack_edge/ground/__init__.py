"""Ground stations: those who watch a live session and command it."""
