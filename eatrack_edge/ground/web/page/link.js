// The WebSocket to the station: messages, pictures, and the server's clock.

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 4000;
const PING_EVERY_MS = 2000;
const CLOCK_SAMPLES = 8;

export class Link {
  // `on` has: open(), close(), message(object), picture(header, blob).
  constructor(on) {
    this.on = on;
    this.wait = FIRST_WAIT_MS;
    this.clock = []; // [round trip, local clock minus the server's], ms
    this.lastPing = -Infinity;
    this.connect();
  }

  connect() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/ws`);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onopen = () => {
      this.wait = FIRST_WAIT_MS;
      this.clock = [];
      this.ping();
      this.on.open();
    };
    socket.onmessage = (event) => (typeof event.data === "string" ? this.take(event.data) : this.takePicture(event.data));
    socket.onclose = () => {
      this.on.close();
      setTimeout(() => this.connect(), this.wait);
      this.wait = Math.min(2 * this.wait, LONGEST_WAIT_MS);
    };
  }

  send(message) {
    if (this.socket.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  take(text) {
    const message = JSON.parse(text);
    if (message.type === "pong") {
      const now = performance.now();
      this.clock.push([now - message.at, (now + message.at) / 2 - message.server_ms]);
      if (this.clock.length > CLOCK_SAMPLES) this.clock.shift();
      return;
    }
    // Asked for as numbers come, not by a timer: browsers slow timers down in a tab that is not in front.
    if (message.type === "telemetry" && performance.now() - this.lastPing > PING_EVERY_MS) this.ping();
    this.on.message(message);
  }

  takePicture(data) {
    const length = new DataView(data).getUint32(0, true);
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
    this.on.picture(header, new Blob([new Uint8Array(data, 4 + length)], { type: "image/jpeg" }));
  }

  ping() {
    this.lastPing = performance.now();
    this.send({ type: "ping", at: this.lastPing });
  }

  // Milliseconds since the frame left the decoder; null before the clocks were compared.
  // The shortest round trip gives the best comparison: the error is at most half of it.
  age(header) {
    if (!this.clock.length) return null;
    const best = this.clock.reduce((one, other) => (other[0] < one[0] ? other : one));
    return performance.now() - best[1] - header.captured_ms;
  }
}
