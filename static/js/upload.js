// Send an image's bytes from the browser straight to the image API. The form first makes the image (an ordinary post); the
// answer tells where the bytes go and which ticket lets them in.
export const uploadForm = () => ({
  file: null,
  sent: 0,
  total: 0,
  rate: 0,
  state: "idle",
  fault: "",

  get busy() {
    return this.state === "creating" || this.state === "sending" || this.state === "checking";
  },
  get idle() {
    return !this.busy;
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
    const form = this.$root;
    const body = new FormData(form);
    body.delete("file");
    let answer;
    try {
      answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
    } catch {
      return this.fail(form.dataset.wordsLost);
    }
    const made = await answer.json().catch(() => ({}));
    if (!answer.ok || !made.upload) return this.fail(made.message ?? form.dataset.wordsLost);
    this.put(made);
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

  cancel() {
    this.request?.abort();
  },

  fail(words) {
    this.state = "failed";
    this.fault = words;
    this.sent = 0;
    this.rate = 0;
  },
});

/** The image API answers a refusal as text or JSON; take the sentence out of either. */
function reason(request) {
  const type = request.getResponseHeader("Content-Type") ?? "";
  if (type.includes("json")) {
    try {
      const body = JSON.parse(request.responseText);
      return body.message ?? Object.values(body)[0]?.message ?? null;
    } catch {
      return null;
    }
  }
  const page = new DOMParser().parseFromString(request.responseText, "text/html");
  return page.body.textContent.trim().slice(0, 300) || null;
}

async function guessFormat(file) {
  const head = new Uint8Array(await file.slice(0, 4).arrayBuffer());
  if (head[0] === 0x51 && head[1] === 0x46 && head[2] === 0x49 && head[3] === 0xfb) return "qcow2";
  const mark = await file.slice(0x8001, 0x8006).text();
  return mark === "CD001" ? "iso" : "raw";
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
