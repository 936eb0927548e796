// Turn what a serial line printed into text one can read: no escape sequences, and a carriage return overwrites its line.
// Sequences may be cut anywhere between two frames, so the tail that could still grow is kept for the next one.
const ESCAPE = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_][^\x1b]*\x1b\\|[ -/]*[0-~])/g;
const UNFINISHED = /\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b]*|[PX^_][^\x1b]*|[ -/]*)$/;
const CONTROL = /[\x00-\x07\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]/g;

export class LogText {
  done = "";
  rest = "";

  add(frame) {
    let text = this.rest + frame;
    const cut = text.match(UNFINISHED);
    this.rest = cut && cut[0].length < 4096 ? cut[0] : "";
    if (this.rest) text = text.slice(0, -this.rest.length);
    const start = this.done.lastIndexOf("\n") + 1;
    const open = this.done.slice(start) + text.replace(ESCAPE, "").replace(CONTROL, "");
    this.done = this.done.slice(0, start) + open.split("\n").map(lastWritten).join("\n");
  }

  toString(most) {
    if (this.done.length > 2 * most) this.done = this.done.slice(this.done.indexOf("\n", this.done.length - most) + 1);
    return this.done.length > most ? this.done.slice(-most) : this.done;
  }
}

/** What a line shows after its carriage returns and backspaces; a final return may still be followed by more. */
function lastWritten(line) {
  const ended = line.replace(/\r+$/, "");
  const shown = ended.slice(ended.lastIndexOf("\r") + 1);
  let text = "";
  for (const sign of shown) text = sign === "\b" ? text.slice(0, -1) : text + sign;
  return text;
}
