"""The MAVLink camera component: QGroundControl and other stations see a camera that tracks what they select."""
