// The ground station's page: joins the link, the picture, the commands and the numbers.

import { Link } from "/link.js";
import { Numbers } from "/numbers.js";
import { onPress } from "/press.js";
import { Templates } from "/templates.js";
import { View } from "/view.js";
import { look, milliseconds } from "/words.js";

const STALE_MS = 1000; // without a picture the page says so
const TOAST_MS = 6000;
const ANSWER_MS = 1500; // a selection that is not answered by then is no longer drawn
const SHOWN_MS = 400;
const LATE_MS = 500;
const NO_LINK = "There is no link to the tracker.";

if (location.search) history.replaceState(null, "", "/"); // the token is in a cookie by now, and stays out of sight

const byId = (id) => document.getElementById(id);
const page = {
  you: null,
  telemetry: null,
  isOpen: false,
  ended: "",
  selections: 0, // sent by this page; the number of one is its id
  lastBox: null, // that the tracker showed or the user drew, for a re-selection
  drawnAt: -Infinity,
  age: null, // of the last picture when it was drawn, ms
  keepMs: 0, // that the tracker keeps a frame to be drawn on
  kept: { frame: null, until: -Infinity }, // the frame that it was asked to keep
};
const numbers = new Numbers(byId);
const templates = new Templates(byId, (number, target) => {
  if (!commands()) view.on.refused();
  else if (!link.send({ type: "restore", number, target })) toast(NO_LINK);
});
let toastTimer = 0;

function toast(text) {
  byId("toast").textContent = text;
  byId("toast").hidden = !text;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => (byId("toast").hidden = true), TOAST_MS);
}

function commands() {
  return page.isOpen && page.telemetry !== null && page.telemetry.viewers.commander === page.you && !page.ended;
}

const view = new View(byId("picture"), {
  box: (box, frame) => select({ type: "select", box, frame }, box),
  point: ([x, y], frame) => select({ type: "point", x, y, frame }, null),
  held: keep,
  refused: () => toast(page.ended ? look("ENDED").sentence : page.isOpen ? "Another viewer commands. Take control first." : NO_LINK),
  skipped: (header) => link.send({ type: "ack", picture: header.picture }),
  drawn: (header) => {
    page.drawnAt = performance.now();
    page.age = link.age(header);
    link.send({ type: "ack", picture: header.picture, age_ms: page.age });
    if (header.box) page.lastBox = header.box;
    document.documentElement.style.setProperty("--picture-ratio", `${header.size[0]} / ${header.size[1]}`);
    byId("picture").dataset.frame = header.frame;
  },
});
view.mayCommand = commands;

const link = new Link({
  open: () => {
    page.isOpen = true;
    page.ended = "";
    page.telemetry = null; // of the flight before
    view.sent = null;
    refresh();
  },
  close: () => {
    page.isOpen = false;
    page.you = null;
    refresh();
  },
  picture: (header, blob) => view.offer(header, blob),
  message: (message) => {
    if (message.type === "telemetry") {
      page.telemetry = message;
      if (message.ended !== null) page.ended = message.ended;
      numbers.take(message, currentAge());
      templates.take(message, commands());
    } else if (message.type === "welcome") {
      page.you = message.you;
      page.keepMs = 1000 * message.keep_s;
      numbers.welcome(message);
      templates.forget();
    } else if (message.type === "selection") {
      // Of one that was followed by another of this page, only what went wrong is of interest.
      if (message.viewer !== page.you || message.id === page.selections) showSelected(message.box);
      if (message.is_refused) toast(`Selection refused: ${message.reason}`);
    } else if (message.type === "refused" || message.type === "full") {
      if (message.id === page.selections) view.sent = null;
      toast(message.reason[0].toUpperCase() + message.reason.slice(1));
    } else if (message.type === "restored") {
      const name = message.number ? `Template ${message.number}` : "The first template";
      toast(message.is_refused ? `${name} is not restored: ${message.reason}` : `${name} is restored as the second`);
    } else if (message.type === "end") {
      page.ended = message.ended;
    }
    refresh();
  },
});

// The box of a selection that the session answered: after a click it was proposed, and is shown before a result comes.
function showSelected(box) {
  view.sent = box;
  setTimeout(() => {
    if (view.sent === box) view.sent = null;
  }, SHOWN_MS);
  if (box) page.lastBox = box;
}

function select(message, box) {
  if (!commands()) return view.on.refused();
  if (!link.send({ ...message, id: page.selections + 1 })) return toast(NO_LINK);
  page.selections += 1;
  if (box) page.lastBox = box;
  view.sent = box;
  setTimeout(() => {
    if (view.sent === box) view.sent = null;
  }, ANSWER_MS);
  pause(false);
}

function stop() {
  if (view.cancel()) return; // the drag alone
  if (commands()) link.send({ type: "stop" });
  else view.on.refused();
}

function reselect() {
  if (!page.lastBox || !view.header) return toast("There is no box to select again: draw one.");
  select({ type: "select", box: page.lastBox, frame: view.header.frame }, page.lastBox);
}

// Selects what may be the lost target, by its rank; whether the picture shows one of this rank.
function choose(rank) {
  const candidate = view.candidates[rank - 1];
  if (candidate) view.on.box(candidate.box, view.header.frame);
  return candidate !== undefined;
}

// Has the tracker keep the frame that stands still, or a box that is drawn later would be refused. One whose time is
// over is not held any more, and cannot be kept again.
function keep() {
  const { frame } = view.header;
  const isOver = page.kept.frame === frame && performance.now() > page.kept.until;
  if (commands() && !isOver && link.send({ type: "keep", frame })) page.kept = { frame, until: performance.now() + page.keepMs };
}

function pause(isPaused) {
  if (isPaused && !view.header) return;
  view.pause(isPaused);
  if (isPaused) keep();
  byId("pause").setAttribute("aria-pressed", String(isPaused));
  refresh();
}

// Since the picture on the screen was drawn, ms.
function shownFor() {
  return performance.now() - page.drawnAt;
}

// Of the picture on the screen, ms: as it was drawn, or growing where no newer one is drawn.
function currentAge() {
  if (!view.header || page.age === null) return null;
  const waited = shownFor();
  return view.isHeld || waited > LATE_MS ? page.age + waited : page.age;
}

// How long the picture that stands still can be drawn on.
function keptFor() {
  if (!commands()) return "";
  const left = page.kept.frame === view.header.frame ? page.kept.until - performance.now() : 0;
  return left > 0 ? `Draw on it within ${Math.ceil(left / 1000)} s, or press Space.` : "It is too old to draw on: press Space.";
}

// Whether the picture on the screen shows what is over, though nobody paused it.
function isOld() {
  return page.ended !== "" || !page.isOpen || shownFor() > STALE_MS;
}

function banner() {
  const waited = shownFor();
  if (page.ended) return ["failure", `The session has ended: ${page.ended}`];
  if (!page.isOpen) return ["failure", "No link to the tracker. Trying again."];
  if (page.telemetry && !page.telemetry.source.is_found && page.telemetry.frames) return ["failure", `Source lost: ${page.telemetry.source.text}`];
  if (page.telemetry && !page.telemetry.source.is_found) return ["warning", "Waiting for the source"];
  if (view.isPaused) return ["note", `Paused on frame ${view.header.frame}, ${milliseconds(currentAge() ?? 0)} old. ${keptFor()}`];
  if (view.isHeld) return ["", ""];
  if (view.header && waited > STALE_MS) return ["warning", `No new picture for ${milliseconds(waited)}`];
  return ["", ""];
}

function refresh() {
  const [kind, text] = banner();
  byId("banner").hidden = !text;
  byId("banner").dataset.kind = kind;
  byId("banner").textContent = text;
  document.body.dataset.link = page.ended ? "ended" : !page.isOpen ? "lost" : page.telemetry?.source.is_found ? "live" : "waiting";
  document.body.dataset.commands = commands() ? "yes" : "no";
  view.showOld(isOld());
  numbers.showSession(page);
  numbers.showControl(page);
  numbers.showAge(currentAge(), view.header);
  const isIdle = page.telemetry?.state === "WAITING";
  byId("stop").disabled = !commands() || isIdle;
  byId("reselect").disabled = !commands() || !page.lastBox;
  byId("pause").disabled = !view.header;
}

setInterval(refresh, 250);
onPress(byId("stop"), stop);
onPress(byId("reselect"), reselect);
onPress(byId("pause"), () => pause(!view.isPaused));
onPress(byId("control"), () => {
  if (!link.send({ type: commands() ? "release" : "take" })) toast(NO_LINK);
});

addEventListener("click", (event) => {
  // A button that was clicked keeps no focus, or the space bar would press it again.
  if (event.detail > 0 && event.target instanceof Element) event.target.closest("button")?.blur();
});

addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") stop();
  else if (event.key === " " && !(event.target instanceof HTMLButtonElement)) pause(!view.isPaused);
  else if (event.key === "r" || event.key === "R") reselect();
  else if (!choose(event.key)) return;
  event.preventDefault();
});

// The width that is worth sending: this screen's own pixels.
function tellWidth() {
  const { width, height } = byId("picture").getBoundingClientRect();
  const ratio = view.header ? view.header.size[0] / view.header.size[1] : 16 / 9;
  const pixels = Math.round(Math.min(width, height * ratio) * Math.min(devicePixelRatio || 1, 2));
  if (page.isOpen && pixels > 0 && pixels !== tellWidth.last && link.send({ type: "view", width: Math.min(pixels, 16384) })) tellWidth.last = pixels;
}
setInterval(tellWidth, 1000);
