// The templates: what the tracker compares with now, and those that it can compare with again.

import { onPress } from "/press.js";

export class Templates {
  // `restore(number, target)` is called for a press on an earlier template.
  constructor(byId, restore) {
    this.byId = byId;
    this.restore = restore;
    this.version = -1; // that is shown or being fetched
    this.buttons = new Map(); // by number; kept, so that no button is replaced under a finger
    this.table = null;
  }

  // Asks again where something changed. The list is not in the numbers that come five times a second: it is long.
  async take({ templates, state }, mayCommand) {
    this.byId("templates").hidden = !templates.count || state === "WAITING";
    for (const button of this.buttons.values()) button.disabled = !mayCommand || button.dataset.use !== undefined;
    if (templates.version === this.version) return;
    this.version = templates.version;
    try {
      const response = await fetch("/api/templates");
      if (!response.ok) throw new Error(response.statusText);
      this.show(await response.json(), mayCommand);
    } catch {
      this.version = -1; // the link is lost: asked again with the next numbers
    }
  }

  // Another flight counts anew.
  forget() {
    this.version = -1;
    this.table = null;
    this.buttons.clear();
    this.byId("restorable").replaceChildren();
  }

  show(table, mayCommand) {
    if (this.table?.target !== table.target) {
      this.buttons.clear();
      this.byId("restorable").replaceChildren();
    }
    this.table = table;
    const [first, second] = table.slots;
    const slots = [["First", first], ["Second", second]].filter(([, number]) => number !== undefined);
    this.byId("slots").replaceChildren(...slots.map(([name, number]) => this.slot(name, number)));
    // With one template, and in a model with one slot, there is nothing to choose.
    this.byId("restore").hidden = second === undefined || table.templates.length < 2;
    const numbers = new Set(table.templates.map((template) => template.number));
    for (const [number, button] of this.buttons) {
      if (numbers.has(number)) continue;
      button.parentElement.remove();
      this.buttons.delete(number);
    }
    for (const template of table.templates) this.mark(this.button(template), template.number === second, mayCommand);
  }

  slot(name, number) {
    const figure = document.createElement("figure");
    const caption = document.createElement("figcaption");
    caption.textContent = name === "Second" ? `Second: ${number ? `no. ${number}` : "the first"}` : name;
    figure.append(this.picture(number), caption);
    return figure;
  }

  button(template) {
    const { number, confidence, reason } = template;
    if (this.buttons.has(number)) return this.buttons.get(number);
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.number = number;
    button.title = reason;
    const name = number ? `No. ${number}` : "First";
    const sure = confidence === null ? "" : `, confidence ${confidence.toFixed(2)}`;
    button.setAttribute("aria-label", `Restore template ${name}${sure}: ${reason}`);
    const [label, use] = ["name", "use"].map((kind) => Object.assign(document.createElement("span"), { className: kind }));
    label.textContent = name;
    button.append(this.picture(number), label, use);
    const { target } = this.table;
    onPress(button, () => this.restore(number, target));
    const item = document.createElement("li");
    item.append(button);
    this.byId("restorable").append(item);
    this.buttons.set(number, button);
    return button;
  }

  mark(button, isUsed, mayCommand) {
    if (isUsed) button.dataset.use = "second";
    else delete button.dataset.use;
    button.setAttribute("aria-pressed", String(isUsed));
    button.querySelector(".use").textContent = isUsed ? "In use" : "Restore";
    button.disabled = isUsed || !mayCommand;
  }

  picture(number) {
    const image = document.createElement("img");
    image.src = `/api/templates/${number}.jpg?target=${this.table.target}`;
    image.alt = "";
    return image;
  }
}
