// What the page says and draws for each state. A state that is not here is shown by its name, in grey.

export const STATES = {
  WAITING: { sentence: "No target. Draw a box around one, or click it.", colour: "#a3b3bd", dash: [] },
  TRACKING: { sentence: "The box is on the target.", colour: "#63d68f", dash: [] },
  UNCERTAIN: { sentence: "Low confidence. The box may show where the target was last.", colour: "#f4bd50", dash: [9, 6] },
  LOST: { sentence: "The target is lost. Select it again where you see it.", colour: "#ff7b72", dash: [3, 5] },
  REACQUIRED: { sentence: "Found again. Check that it is the same target.", colour: "#62c6ff", dash: [] },
  ENDED: { sentence: "The session has ended: nothing is tracked.", colour: "#a3b3bd", dash: [] }, // the page's own
};

// How a box is drawn on a picture that stands still, whatever its state: where the target was.
export const OLD = { colour: "#a3b3bd", dash: [2, 7] };

// What the panel says of a state; of a lost target also how many places of the picture look like it.
export function sentence(state, candidateCount) {
  if (state !== "LOST" || !candidateCount) return look(state).sentence;
  const [places, which] = candidateCount === 1 ? ["1 place looks", "it"] : [`${candidateCount} places look`, "one"];
  return `The target is lost. ${places} like it: tap ${which}, or draw a box.`;
}

export function look(state) {
  return STATES[state] ?? { sentence: "", colour: "#a3b3bd", dash: [14, 4] };
}

export function duration(seconds) {
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

export function milliseconds(value) {
  if (value >= 10000) return `${Math.round(value / 1000)} s`;
  return value >= 1000 ? `${(value / 1000).toFixed(1)} s` : `${Math.round(value)} ms`;
}
