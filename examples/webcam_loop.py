"""Follow a target in frames that arrive one by one, as from a webcam.

python examples/webcam_loop.py 0 255,230,64,48     # camera 0, and the target's box in its first frame
python examples/webcam_loop.py video.mp4 255,230,64,48
"""

import sys

import cv2

from eatrack_edge import Tracker, TrackState


def main(camera: str, box_text: str) -> int:
    x, y, w, h = (float(number) for number in box_text.split(","))
    capture = cv2.VideoCapture(int(camera) if camera.isdigit() else camera)
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # the newest frame, where the driver can: a queue of old ones lags
    is_there, frame = capture.read()
    if not is_there:
        raise SystemExit(f"cannot read from {camera}")
    updates = 0
    with Tracker() as tracker:
        tracker.init(frame, (x, y, w, h))
        while True:
            is_there, frame = capture.read()
            if not is_there:
                break
            result = tracker.update(frame)
            updates += 1
            mark = "" if result.state is TrackState.TRACKING else "  low confidence"
            left, top, width, height = (round(side) for side in result.box)
            print(f"{left},{top},{width},{height}  {result.confidence:.2f}  {result.latency_ms.total:.0f} ms{mark}")
    capture.release()
    return updates


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
