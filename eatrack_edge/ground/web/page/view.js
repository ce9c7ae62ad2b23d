// The live picture on its canvas: draws it with the box, and turns pointers into boxes in pixels of the frame.

import { look, OLD } from "/words.js";

const CLICK_PX = { mouse: 4, pen: 6, touch: 12 }; // a pointer that moves less has clicked
const SMALL_PX = 34; // a box below this gets a frame around it, or nobody would find it
const SEEN_PX = 20; // the outline of a candidate is no smaller, or its dashes would cover what is in it
const TOUCH_PX = 44; // nor the place where a finger chooses it
const NEUTRAL = "#e8eef2"; // of a candidate: no state's colour

export class View {
  // `on` has: box([x, y, w, h], frame), point([x, y], frame), drawn(header), held(), refused().
  constructor(canvas, on) {
    this.canvas = canvas;
    this.on = on;
    this.context = canvas.getContext("2d", { alpha: false });
    this.shown = null; // {bitmap, header}
    this.pending = null; // newer, not drawn yet
    this.drag = null; // {from, to} in pixels of the frame
    this.targets = []; // of the candidates as they are drawn, where a pointer chooses them, in pixels of the canvas
    this.sent = null; // the box that was sent and not answered yet
    this.isPaused = false;
    this.isOld = false; // nothing newer comes
    this.mayCommand = () => false;
    new ResizeObserver(() => this.resize()).observe(canvas);
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.lift(event));
    canvas.addEventListener("pointercancel", () => this.cancel());
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    // Else a box that is drawn fast is a flick to the browser, which then takes the next tap for the end of it.
    canvas.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
  }

  get isHeld() {
    return this.isPaused || this.drag !== null;
  }

  get header() {
    return this.shown?.header ?? null;
  }

  // What may be the lost target, the likeliest first: what is drawn, and no other, can be chosen.
  get candidates() {
    return this.header?.state === "LOST" && !this.drag?.isMoved ? this.header.candidates : [];
  }

  // Takes a picture to be drawn with the screen's next refresh; the newest is drawn, others are passed over.
  async offer(header, blob) {
    if (this.isHeld) return this.on.skipped(header);
    let bitmap;
    try {
      bitmap = await createImageBitmap(blob);
    } catch {
      return this.on.skipped(header);
    }
    if (this.isHeld) {
      bitmap.close();
      return this.on.skipped(header);
    }
    if (this.pending) {
      this.pending.bitmap.close();
      this.on.skipped(this.pending.header);
    } else {
      requestAnimationFrame(() => this.show());
    }
    this.pending = { bitmap, header };
  }

  show() {
    const next = this.pending;
    this.pending = null;
    if (this.isHeld) {
      next.bitmap.close();
      return this.on.skipped(next.header);
    }
    this.shown?.bitmap.close();
    this.shown = next;
    this.isOld = false;
    this.draw();
    this.on.drawn(next.header);
  }

  pause(isPaused) {
    this.isPaused = isPaused;
    this.draw();
  }

  showOld(isOld) {
    if (isOld === this.isOld) return;
    this.isOld = isOld;
    this.draw();
  }

  resize() {
    const ratio = devicePixelRatio || 1;
    this.canvas.width = Math.max(1, Math.round(this.canvas.clientWidth * ratio));
    this.canvas.height = Math.max(1, Math.round(this.canvas.clientHeight * ratio));
    this.draw();
  }

  // Where the frame lies in an area of this size: it fits inside, centred.
  placed(width, height) {
    const [frameWidth, frameHeight] = this.shown.header.size;
    const scale = Math.min(width / frameWidth, height / frameHeight);
    return { scale, left: (width - frameWidth * scale) / 2, top: (height - frameHeight * scale) / 2 };
  }

  // A pointer's place in pixels of the frame, cut off at its border.
  toFrame(event) {
    const area = this.canvas.getBoundingClientRect();
    const { scale, left, top } = this.placed(area.width, area.height);
    const [width, height] = this.shown.header.size;
    const clamp = (value, most) => Math.min(Math.max(value, 0), most);
    return [clamp((event.clientX - area.left - left) / scale, width), clamp((event.clientY - area.top - top) / scale, height)];
  }

  press(event) {
    if (!event.isPrimary || event.button !== 0 || !this.shown) return;
    if (!this.mayCommand()) return this.on.refused();
    this.canvas.setPointerCapture(event.pointerId);
    const place = this.toFrame(event);
    this.drag = { from: place, to: place, start: [event.clientX, event.clientY], isMoved: false };
    this.on.held();
    this.draw();
  }

  move(event) {
    if (!this.drag || !event.isPrimary) return;
    const [x, y] = this.drag.start;
    const distance = Math.hypot(event.clientX - x, event.clientY - y);
    this.drag.isMoved ||= distance > (CLICK_PX[event.pointerType] ?? CLICK_PX.mouse);
    this.drag.to = this.toFrame(event);
    this.draw();
  }

  lift(event) {
    if (!this.drag || !event.isPrimary) return;
    this.move(event);
    const { from, start, isMoved } = this.drag;
    const box = this.rectangle();
    const frame = this.header.frame;
    const candidate = isMoved ? null : this.candidateAt(start);
    this.drag = null;
    if (candidate) this.on.box(candidate.box, frame);
    else if (isMoved && box[2] >= 2 && box[3] >= 2) this.on.box(box, frame);
    else if (!isMoved) this.on.point(from, frame);
    this.draw();
  }

  // Ends a drag without a selection; whether there was one.
  cancel() {
    const wasDrawing = this.drag !== null;
    this.drag = null;
    this.draw();
    return wasDrawing;
  }

  // The candidate that a press at this place of the window chooses, the nearest of several; `null` elsewhere.
  candidateAt([clientX, clientY]) {
    const area = this.canvas.getBoundingClientRect();
    const ratio = this.canvas.width / area.width;
    const [pressedX, pressedY] = [(clientX - area.left) * ratio, (clientY - area.top) * ratio];
    const within = ([x, y, w, h]) => pressedX >= x && pressedX <= x + w && pressedY >= y && pressedY <= y + h;
    const distance = ({ outline: [x, y, w, h] }) => Math.hypot(pressedX - x - w / 2, pressedY - y - h / 2);
    const nearestFirst = [...this.targets].sort((one, other) => distance(one) - distance(other));
    // What is drawn of one goes before the surroundings of another.
    for (const part of ["outline", "label", "around"]) {
      const pressed = nearestFirst.find((target) => within(target[part]));
      if (pressed) return pressed.candidate;
    }
    return null;
  }

  rectangle() {
    const { from, to } = this.drag;
    return [Math.min(from[0], to[0]), Math.min(from[1], to[1]), Math.abs(from[0] - to[0]), Math.abs(from[1] - to[1])];
  }

  draw() {
    const { context, canvas } = this;
    context.fillStyle = "#000";
    context.fillRect(0, 0, canvas.width, canvas.height);
    if (!this.shown) return;
    const { bitmap, header } = this.shown;
    const ratio = devicePixelRatio || 1;
    const { scale, left, top } = this.placed(canvas.width, canvas.height);
    context.drawImage(bitmap, left, top, header.size[0] * scale, header.size[1] * scale);
    const onCanvas = ([x, y, w, h]) => [left + x * scale, top + y * scale, w * scale, h * scale];
    if (header.box && !this.drag) this.drawTarget(onCanvas(header.box), header, ratio);
    this.targets = this.drawCandidates(onCanvas, ratio);
    if (this.sent && !this.drag) this.outline(onCanvas(this.sent), "#ffffff", [6, 4], ratio);
    if (this.drag?.isMoved) this.drawDrag(onCanvas(this.rectangle()), ratio);
  }

  drawTarget(box, header, ratio) {
    const { colour, dash } = this.isPaused || this.isOld ? OLD : look(header.state);
    this.outline(box, colour, dash, ratio);
    let [x, y, w, h] = box;
    if (Math.max(w, h) < SMALL_PX * ratio) {
      const side = 2 * SMALL_PX * ratio;
      [x, y, w, h] = [x + w / 2 - side / 2, y + h / 2 - side / 2, side, side];
      this.corners(x, y, w, h, colour, ratio);
    }
    if (header.confidence !== null) this.label(header.confidence.toFixed(2), [x, y, w, h], colour, ratio);
  }

  // Draws what may be the lost target, and returns where a press chooses each.
  drawCandidates(onCanvas, ratio) {
    const outlines = this.candidates.map(({ box }) => widened(onCanvas(box), SEEN_PX * ratio));
    for (const outline of outlines) {
      this.outline(outline, "transparent", [], 0.75 * ratio); // the dark line without gaps: on white, dashes are too faint
      this.outline(outline, NEUTRAL, [5, 4], 0.75 * ratio);
    }
    const taken = [...outlines];
    return this.candidates.map((candidate, index) => {
      const outline = outlines[index];
      const text = `${index + 1}  ${Math.round(100 * candidate.probability)} %`;
      const label = this.label(text, outline, NEUTRAL, ratio, taken);
      taken.push(label);
      return { candidate, outline, label, around: widened(outline, TOUCH_PX * ratio) };
    });
  }

  drawDrag(box, ratio) {
    this.outline(box, "#ffffff", [], ratio);
    const [, , w, h] = this.rectangle();
    this.label(`${Math.round(w)} × ${Math.round(h)}`, box, "#ffffff", ratio);
  }

  // A coloured line on a dark one, so that it is seen on any ground.
  outline([x, y, w, h], colour, dash, ratio) {
    this.stroke(colour, dash, ratio, () => this.context.rect(x, y, w, h));
  }

  corners(x, y, w, h, colour, ratio) {
    const arm = 10 * ratio;
    this.stroke(colour, [], 0.75 * ratio, () => {
      for (const [cornerX, cornerY, right, down] of [[x, y, 1, 1], [x + w, y, -1, 1], [x, y + h, 1, -1], [x + w, y + h, -1, -1]]) {
        this.context.moveTo(cornerX + right * arm, cornerY);
        this.context.lineTo(cornerX, cornerY);
        this.context.lineTo(cornerX, cornerY + down * arm);
      }
    });
  }

  stroke(colour, dash, ratio, path) {
    const { context } = this;
    context.beginPath();
    path();
    context.setLineDash(dash.map((length) => length * ratio));
    context.strokeStyle = "rgb(0 0 0 / .65)";
    context.lineWidth = 4.5 * ratio;
    context.stroke();
    context.strokeStyle = colour;
    context.lineWidth = 2 * ratio;
    context.stroke();
    context.setLineDash([]);
  }

  // Writes beside a box: above it, or where it is neither cut off nor over what is taken. Returns where it is written.
  label(text, [x, y, w, h], colour, ratio, taken = []) {
    const { context, canvas } = this;
    context.font = `600 ${13 * ratio}px system-ui, sans-serif`;
    const width = context.measureText(text).width + 12 * ratio;
    const height = 20 * ratio;
    const gap = 5 * ratio;
    const start = Math.min(Math.max(x - ratio, 0), canvas.width - width);
    const beside = [[start, y - height - gap], [start, y + h + gap], [x + w + gap, y], [x - width - gap, y]];
    const isFree = ([left, top]) => {
      const isInside = left >= 0 && left + width <= canvas.width && top >= 0 && top + height <= canvas.height;
      return isInside && !taken.some((other) => isNear([left, top, width, height], other, gap - ratio));
    };
    const [left, top] = beside.find(isFree) ?? [start, y + gap];
    context.fillStyle = "rgb(10 14 17 / .86)";
    context.fillRect(left, top, width, height);
    context.fillStyle = colour;
    context.textBaseline = "middle";
    context.fillText(text, left + 6 * ratio, top + height / 2 + ratio / 2);
    return [left, top, width, height];
  }
}

// A box with both sides at least this long, about the same centre.
function widened([x, y, w, h], side) {
  const [width, height] = [Math.max(w, side), Math.max(h, side)];
  return [x + (w - width) / 2, y + (h - height) / 2, width, height];
}

// Whether less than this lies between two boxes.
function isNear([x, y, w, h], [otherX, otherY, otherWidth, otherHeight], space) {
  const isNearAcross = x < otherX + otherWidth + space && otherX < x + w + space;
  return isNearAcross && y < otherY + otherHeight + space && otherY < y + h + space;
}
