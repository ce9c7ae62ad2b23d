"""Baselines: other people's trackers, scored and timed on the same frames as ours.

OpenCV's need no weights. NanoTrack and VitTrack need the files that their authors publish, in a folder that the user
names. Only VitTrack's is in this project too, for the refinement of our own boxes. VitTrack runs on ONNX Runtime and
not through ``cv2.TrackerVit``, which feeds the network BGR and negates two channels, and so scores a third less than
the network can.
"""
