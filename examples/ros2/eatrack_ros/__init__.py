"""A ROS 2 node around the live session of eatrack-edge."""
