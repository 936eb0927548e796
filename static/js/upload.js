// Send an image's bytes from the browser straight to the image API. The form first makes the image (an ordinary post); the
// answer tells where the bytes go, which ticket lets them in, and whether they may go in pieces.
import { Cancelled, PieceSender, Refused, reason } from "./pieces.js";

export const uploadForm = () => ({
  file: null,
  sent: 0,
  total: 0,
  rate: 0,
  state: "idle",
  fault: "",
  made: null,
  sender: null,

  get busy() {
    return !this.idle;
  },
  get paused() {
    return this.state === "paused";
  },
  get sendsPieces() {
    return this.busy && this.sender !== null && !this.paused;
  },
  get idle() {
    return this.state === "idle" || this.state === "failed";
  },
  get failed() {
    return this.state === "failed";
  },
  get percent() {
    return this.total ? Math.floor((100 * this.sent) / this.total) : 0;
  },
  get bar() {
    return { width: `${this.percent}%` };
  },
  get words() {
    const texts = this.$root.dataset;
    if (this.state === "checking") return texts.wordsChecking;
    if (this.state === "waiting") return texts.wordsWaiting;
    if (this.paused) return texts.wordsPaused.replace("{sent}", size(this.sent)).replace("{total}", size(this.total));
    if (!this.rate) return texts.wordsStarting;
    const left = Math.ceil((this.total - this.sent) / this.rate);
    return texts.wordsSending
      .replace("{sent}", size(this.sent))
      .replace("{total}", size(this.total))
      .replace("{rate}", size(this.rate))
      .replace("{left}", left < 90 ? `${left} s` : `${Math.ceil(left / 60)} min`);
  },

  choose(event) {
    this.file = event.target.files[0] ?? null;
    const name = this.$root.querySelector("[name=name]");
    if (this.file && name && !name.value) name.value = this.file.name.replace(/\.(qcow2|raw|img|iso)$/i, "");
    const format = this.$root.querySelector("[name=disk_format]");
    if (this.file && format) guessFormat(this.file).then((found) => found && (format.value = found));
  },

  async send(event) {
    if (!this.file) return;
    event.preventDefault();
    this.state = "creating";
    this.fault = "";
    this.sender = null;
    const texts = this.$root.dataset;
    const made = await this.ask(this.made?.again ?? this.$root.action).catch(() => null);
    if (!made?.upload) return this.fail(made?.message ?? texts.wordsLost);
    this.made = made;
    if (made.pieces && this.file.size) this.sendPieces(made);
    else this.put(made);
  },

  /** Post the form; the answer says where the bytes go. */
  async ask(address) {
    const body = new FormData(this.$root);
    body.delete("file");
    const answer = await fetch(address, { method: "POST", body, headers: { Accept: "application/json" } });
    return answer.json();
  },

  async sendPieces({ upload, detail, again, total }) {
    const texts = this.$root.dataset;
    if (total && !isSame(detail, this.file, total)) return this.fail(texts.wordsOther);
    remember(detail, this.file);
    this.total = this.file.size;
    this.began = { at: performance.now(), sent: 0 };
    const sender = new PieceSender({
      file: this.file,
      address: upload,
      renew: () => this.ask(again).then((made) => made.upload, () => null),
      tell: (news) => this.hear(news),
    });
    this.sender = sender;
    try {
      await sender.run();
      forget(detail);
      location.assign(detail);
    } catch (error) {
      if (error instanceof Cancelled) forget(detail);
      this.fail(error instanceof Cancelled ? texts.wordsCancelled : (error instanceof Refused && error.message) || texts.wordsLost);
    }
  },

  hear({ state, sent }) {
    if (this.paused) return;
    if (state === "sending" && this.state !== "sending") this.began = { at: performance.now(), sent };
    this.state = state;
    if (sent === undefined) return;
    this.sent = sent;
    this.rate = (sent - this.began.sent) / Math.max(0.2, (performance.now() - this.began.at) / 1000);
  },

  pause() {
    this.state = "paused";
    this.sender.pause();
  },

  resume() {
    this.state = "sending";
    this.began = { at: performance.now(), sent: this.sent };
    this.sender.resume();
  },

  put({ upload, detail, token_header: header, token }) {
    const request = (this.request = new XMLHttpRequest());
    const started = performance.now();
    this.total = this.file.size;
    this.state = "sending";
    request.upload.addEventListener("progress", (event) => {
      this.sent = event.loaded;
      this.rate = event.loaded / Math.max(0.2, (performance.now() - started) / 1000);
    });
    request.upload.addEventListener("load", () => (this.state = "checking"));
    request.addEventListener("load", () => {
      if (request.status >= 200 && request.status < 300) location.assign(detail);
      else this.fail(reason(request) ?? this.$root.dataset.wordsLost);
    });
    request.addEventListener("error", () => this.fail(this.$root.dataset.wordsLost));
    request.addEventListener("abort", () => this.fail(this.$root.dataset.wordsCancelled));
    request.open("PUT", upload);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    if (header) request.setRequestHeader(header, token);
    request.send(this.file);
  },

  /** Throw away what an earlier page sent. */
  async discard() {
    const made = await this.ask(this.$root.action).catch(() => null);
    if (made?.upload) await fetch(made.upload, { method: "DELETE" }).catch(() => null);
    forget(made?.detail);
    location.reload();
  },

  cancel() {
    this.sender?.cancel();
    this.request?.abort();
  },

  fail(words) {
    this.state = "failed";
    this.fault = words;
    this.sent = 0;
    this.rate = 0;
  },
});

// Which file an upload began with, so that after a reload another one is not sent behind its first half.
const mark = (file) => `${file.name}|${file.size}|${file.lastModified}`;
const remember = (detail, file) => localStorage.setItem(`upload:${detail}`, mark(file));
const forget = (detail) => localStorage.removeItem(`upload:${detail}`);

function isSame(detail, file, total) {
  const known = localStorage.getItem(`upload:${detail}`);
  return file.size === total && (known === null || known === mark(file));
}

async function guessFormat(file) {
  const head = new Uint8Array(await file.slice(0, 4).arrayBuffer());
  if (head[0] === 0x51 && head[1] === 0x46 && head[2] === 0x49 && head[3] === 0xfb) return "qcow2";
  const volume = await file.slice(0x8001, 0x8006).text();
  return volume === "CD001" ? "iso" : "raw";
}

function size(bytes) {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let step = 0;
  let value = bytes;
  while (value >= 1000 && step < units.length - 1) {
    value /= 1024;
    step += 1;
  }
  return `${step > 1 ? value.toFixed(1) : Math.round(value)} ${units[step]}`;
}
