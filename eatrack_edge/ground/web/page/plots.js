// A value over the last minute, with the states as a strip below it.

import { look, milliseconds } from "/words.js";

export const SPAN_S = 60;

export class Plot {
  // `top` is the highest value, or a function of one that few points are above: a single peak must not flatten the rest.
  constructor(canvas, { top, hasStates = false, limit = null }) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.top = top;
    this.hasStates = hasStates;
    this.limit = limit;
    this.points = []; // [seconds, value or null, state]
  }

  add(seconds, value, state) {
    this.points.push([seconds, value, state]);
    while (this.points.length && this.points[0][0] < seconds - SPAN_S) this.points.shift();
  }

  clear() {
    this.points = [];
  }

  draw(now) {
    const { canvas, context } = this;
    const ratio = devicePixelRatio || 1;
    const width = Math.round(canvas.clientWidth * ratio);
    const height = Math.round(canvas.clientHeight * ratio);
    if (!width || !height) return;
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    context.clearRect(0, 0, width, height);
    const strip = this.hasStates ? 7 * ratio : 0;
    const floor = height - strip - ratio;
    const values = this.points.map((point) => point[1]).filter((value) => value !== null).sort((one, other) => one - other);
    const top = typeof this.top === "function" ? this.top(values[Math.floor(0.97 * (values.length - 1))] ?? 0) : this.top;
    const x = (seconds) => width - ((now - seconds) / SPAN_S) * width;
    const y = (value) => floor - (Math.min(value, top) / top) * (floor - 2 * ratio);
    this.grid(width, floor, top, y, ratio);
    this.line(x, y, ratio);
    if (this.hasStates) this.strip(x, height, ratio);
  }

  grid(width, floor, top, y, ratio) {
    const { context } = this;
    context.lineWidth = ratio;
    context.strokeStyle = "#27323a";
    context.fillStyle = "#a3b3bd";
    context.font = `${11 * ratio}px system-ui, sans-serif`;
    context.textBaseline = "top";
    for (const share of [0, 0.5, 1]) {
      const level = Math.round(y(top * share)) + 0.5;
      context.beginPath();
      context.moveTo(0, level);
      context.lineTo(width, level);
      context.stroke();
    }
    context.fillText(top <= 1 ? "1" : milliseconds(top), 0, y(top) + 3 * ratio);
    if (this.limit !== null && this.limit < top) {
      context.strokeStyle = "#8a6d2f";
      context.setLineDash([3 * ratio, 3 * ratio]);
      context.beginPath();
      context.moveTo(0, y(this.limit));
      context.lineTo(width, y(this.limit));
      context.stroke();
      context.setLineDash([]);
    }
  }

  line(x, y, ratio) {
    const { context } = this;
    context.beginPath();
    let last = null;
    for (const [seconds, value] of this.points) {
      if (value === null) {
        last = null;
        continue;
      }
      // A gap in time is a gap in the line.
      if (last === null || seconds - last > 1.5) context.moveTo(x(seconds), y(value));
      else context.lineTo(x(seconds), y(value));
      last = seconds;
    }
    context.strokeStyle = "#e8eef2";
    context.lineWidth = 1.6 * ratio;
    context.lineJoin = "round";
    context.stroke();
  }

  strip(x, height, ratio) {
    const { context } = this;
    this.points.forEach(([seconds, , state], index) => {
      const next = this.points[index + 1];
      const end = next && next[0] - seconds < 1.5 ? x(next[0]) : x(seconds) + 2 * ratio;
      context.fillStyle = look(state).colour;
      context.globalAlpha = state === "WAITING" ? 0.35 : 1;
      // Whole pixels: neighbours of one colour must show no seam.
      context.fillRect(Math.floor(x(seconds)), height - 4 * ratio, Math.max(1, Math.floor(end) - Math.floor(x(seconds))), 4 * ratio);
    });
    context.globalAlpha = 1;
  }
}
