// A button's press by mouse, pen, finger or key.

const CLICK_AFTER_MS = 1000; // a click that follows a finger's press by less is the same press

// Calls `act` once for each press. A browser gives no click for a tap soon after a flick: the tap ends the scrolling
// of the flick, even where nothing scrolls, and *Stop* would be lost. The pointer's own events always come.
export function onPress(button, act) {
  let pointer = null; // that went down here and is not up yet
  let actedAt = -Infinity;
  button.addEventListener("pointerdown", (event) => {
    if (event.isPrimary && event.pointerType !== "mouse" && !button.disabled) pointer = event.pointerId;
  });
  button.addEventListener("pointercancel", () => (pointer = null)); // it scrolls
  button.addEventListener("pointerup", (event) => {
    const isPress = event.pointerId === pointer && isOver(button, event) && !button.disabled;
    pointer = null;
    if (!isPress) return;
    actedAt = performance.now();
    act();
  });
  button.addEventListener("click", (event) => {
    const isKey = event.detail === 0;
    if (isKey || performance.now() - actedAt > CLICK_AFTER_MS) act();
  });
}

function isOver(button, { clientX: x, clientY: y }) {
  const { left, top, right, bottom } = button.getBoundingClientRect();
  return x >= left && x <= right && y >= top && y <= bottom;
}
