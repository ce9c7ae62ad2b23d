"""The network in torch. Nothing here is imported on the drone."""
