"""A real RTSP server (gst-rtsp-server) that burns the time of sending into its picture, as a bar code.

usage: /usr/bin/python3 rtsp_server.py PORT [WIDTH HEIGHT] - run by the system's Python, which has gi but no numpy.
Frames come from an appsrc, so that the time at which each was made is known. Prints `ready` once it listens.
"""

import sys
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402  (gi asks for the versions first)

CELL, BITS, FPS = 16, 32, 30
DARK, LIGHT = bytes([16]) * CELL, bytes([235]) * CELL


def ground(width, height):
    """Texture that an encoder can do something with."""
    return bytearray(80 + ((x // 8) * 7 + (y // 8) * 13) % 60 for y in range(height) for x in range(width))


class Factory(GstRtspServer.RTSPMediaFactory):
    def __init__(self, width, height):
        super().__init__()
        self.width, self.height, self.number = width, height, 0
        self.ground = ground(width, height)
        self.set_shared(True)
        self.set_launch(
            "( appsrc name=src is-live=true do-timestamp=true format=time "
            f"caps=video/x-raw,format=GRAY8,width={width},height={height},framerate={FPS}/1 "
            "! queue leaky=downstream max-size-buffers=2 ! videoconvert ! video/x-raw,format=I420 "
            f"! x264enc tune=zerolatency speed-preset=ultrafast bitrate=1500 key-int-max={FPS} threads=1 "
            "! rtph264pay name=pay0 pt=96 config-interval=1 )"
        )
        self.connect("media-configure", self.configure)

    def configure(self, _factory, media):
        source, state = media.get_element().get_child_by_name("src"), {"is_on": True}
        media.connect("unprepared", lambda _media: state.update(is_on=False))

        def push():
            if not state["is_on"]:
                return False
            buffer = Gst.Buffer.new_wrapped(bytes(self.picture()))
            return source.emit("push-buffer", buffer) == Gst.FlowReturn.OK

        GLib.timeout_add(1000 // FPS, push)

    def picture(self):
        """The ground, a light square that moves to the right, and the stamp in the rows 8 to 24."""
        self.number += 1
        picture, side = bytearray(self.ground), self.height // 6
        left = (self.number * 2) % (self.width - side)
        for y in range(self.height // 2, self.height // 2 + side):
            picture[y * self.width + left : y * self.width + left + side] = bytes([230]) * side
        stamp = int(time.monotonic() * 1000) & 0xFFFFFFFF
        row = b"".join(LIGHT if stamp >> bit & 1 else DARK for bit in range(BITS))
        for y in range(8, 8 + CELL):
            picture[y * self.width : y * self.width + len(row)] = row
        return picture


def main():
    Gst.init(None)
    width, height = (int(text) for text in (sys.argv[2:4] or ("640", "360")))
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(sys.argv[1])
    server.get_mount_points().add_factory("/live", Factory(width, height))
    if not server.attach(None):
        sys.exit("cannot listen")
    print("ready", flush=True)
    GLib.MainLoop().run()


main()
