// The panel: state, plots, counters, files, viewers.

import { Plot } from "/plots.js";
import { duration, milliseconds, sentence } from "/words.js";

const LATE_MS = 250; // an age above this is shown in amber, and marked in the plot

export class Numbers {
  constructor(byId) {
    this.byId = byId;
    this.confidencePlot = new Plot(byId("confidence-plot"), { top: 1, hasStates: true });
    const top = (highest) => [100, 200, 500, 1000, 2000, 5000, 10000].find((step) => step >= highest) ?? 60000;
    this.agePlot = new Plot(byId("age-plot"), { top, limit: LATE_MS });
    this.clock = null; // the server's seconds minus this page's
  }

  // The last minute as the server has it, for a page that has just opened.
  welcome({ trend, now_s: now }) {
    this.clock = now - performance.now() / 1000;
    this.confidencePlot.clear();
    this.agePlot.clear();
    for (const [seconds, confidence, , state] of trend) this.confidencePlot.add(seconds, confidence, state);
  }

  take(telemetry, age) {
    const now = telemetry.uptime_s;
    if (telemetry.since_frame_s !== null && telemetry.since_frame_s < 1) this.confidencePlot.add(now, telemetry.confidence, telemetry.state);
    if (age !== null) this.agePlot.add(now, age, telemetry.state);
    this.confidencePlot.draw(now);
    this.agePlot.draw(now);
    this.showCounters(telemetry);
  }

  // The state and the files, which without an end and with a link are those of the newest numbers.
  showSession({ telemetry, ended, isOpen }) {
    if (!telemetry) return;
    this.showState(ended ? { ...telemetry, state: "ENDED", state_reason: "" } : telemetry, ended, isOpen);
    this.showFiles(telemetry, ended ? "Ended" : isOpen ? "Writing" : "No link");
  }

  showState({ state, state_s: seconds, state_reason: reason, candidates }, ended, isOpen) {
    this.byId("state").dataset.state = state;
    this.setText("word", state);
    this.setText("since", ended ? "" : duration(seconds));
    if (!ended && !isOpen) return this.setText("sentence", "This was the state when the link was lost.");
    const words = sentence(state, candidates.length);
    const isWorthSaying = reason && reason !== "selected" && reason !== "stopped";
    this.setText("sentence", isWorthSaying ? `${reason[0].toUpperCase()}${reason.slice(1)}. ${words}` : words);
  }

  showCounters({ confidence, fps, dropped, frames, update_ms: update, board, source, model }) {
    this.setText("confidence", confidence === null ? "–" : confidence.toFixed(2));
    this.setText("fps", fps.toFixed(1));
    const share = frames + dropped ? (100 * dropped) / (frames + dropped) : 0;
    this.setUnit("dropped", String(dropped), `${share < 10 ? share.toFixed(1) : share.toFixed(0)} %`);
    this.setUnit("update", update === null ? "–" : update.toFixed(1), update === null ? "" : "ms");
    const zones = Object.entries(board.temperatures_c);
    this.byId("temperature-cell").hidden = !zones.length;
    if (zones.length) {
      const [name, value] = zones.reduce((one, other) => (other[1] > one[1] ? other : one));
      this.setText("temperature-name", name);
      this.setUnit("temperature", value.toFixed(0), "°C");
    }
    this.byId("power-cell").hidden = board.power_w === null;
    if (board.power_w !== null) this.setUnit("power", board.power_w.toFixed(1), "W");
    this.setText("source-name", source.name);
    this.setText("source", source.text);
    this.setText("model", model);
  }

  showAge(age, header) {
    this.setText("age", age === null ? "–" : milliseconds(age));
    this.byId("age").dataset.level = age !== null && age > LATE_MS ? "late" : "";
    this.byId("stamp").hidden = header === null || header.state === "LOST"; // it may lie over the place to choose
    if (header) this.setText("stamp", `Frame ${header.frame}`);
  }

  showControl({ you, telemetry, isOpen }) {
    const button = this.byId("control");
    button.hidden = !isOpen || !telemetry;
    if (button.hidden) return this.setText("commander", "");
    const { commander, pages, players } = telemetry.viewers;
    const isYou = commander === you;
    const holder = pages.find((one) => one.number === commander);
    const isAlone = pages.length < 2;
    this.setText("commander", isYou ? "You command" : holder ? `Viewer ${holder.number} commands` : "Nobody commands");
    this.setText("control", isYou ? "Release" : "Take control");
    button.hidden = isYou && isAlone;
    const count = pages.length + players;
    this.setText("viewers", count > 1 ? `You are viewer ${you} of ${count}` : "");
  }

  showFiles({ outputs, has_log: hasLog }, doing) {
    this.byId("files").hidden = !outputs.length && !hasLog;
    this.byId("log").hidden = !hasLog;
    const rows = outputs.map(({ name, dropped, failure }) => [name.split("/").pop(), failure ? `Failed: ${failure}` : dropped ? `${dropped} missed` : doing, failure]);
    const wanted = JSON.stringify(rows);
    if (wanted === this.files) return;
    this.files = wanted;
    const items = rows.map(([name, text, failure]) => {
      const item = document.createElement("li");
      if (failure) item.dataset.failed = "";
      for (const part of [name, text]) item.append(Object.assign(document.createElement("span"), { textContent: part }));
      return item;
    });
    this.byId("outputs").replaceChildren(...items);
  }

  setText(id, text) {
    const element = this.byId(id);
    if (element.textContent !== text) element.textContent = text;
  }

  setUnit(id, text, unit) {
    const element = this.byId(id);
    if (element.dataset.value === `${text} ${unit}`) return;
    element.dataset.value = `${text} ${unit}`;
    element.replaceChildren(text, Object.assign(document.createElement("small"), { textContent: unit }));
  }
}
