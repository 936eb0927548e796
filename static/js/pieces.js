// Send a file to the image API in pieces, and go on after whatever broke in between. A piece that the server took is safe there;
// where it stands is asked whenever that is not certain.
const PIECE_BYTES = 8 << 20;
const MOST_REFUSALS = 10;
const LONGEST_WAIT_S = 15;
const PASSING = new Set([401, 408, 409, 410, 416, 429, 500, 502, 503, 504]);

export class Refused extends Error {}
export class Cancelled extends Error {}

export class PieceSender {
  /** `renew` gives a fresh address, since one is good for a while only; `tell` hears { state, sent }. */
  constructor({ file, address, renew, tell }) {
    Object.assign(this, { file, address, renew, tell });
    this.paused = this.cancelled = false;
    this.wake = () => {};
  }

  /** Resolves when the image is whole; throws Refused or Cancelled. A lost connection is waited for without end. */
  async run() {
    let offset = null;
    let refusals = 0;
    for (let tries = 0; ; tries += 1) {
      await this.rest(tries);
      const answer = await this.step(offset);
      if (answer?.status === 204) return;
      const safe = answer?.status === 308 || answer?.status === 416 ? next(answer) : null;
      if (answer?.status === 308 || (safe !== null && safe !== offset)) {
        tries = -1;
        if (safe !== offset) refusals = 0;
        offset = safe;
        continue;
      }
      offset = null;
      if (this.paused || this.cancelled) tries = -1;
      else if (answer) await this.refused(answer, (refusals += 1));
    }
  }

  /** Send the next piece, or ask which it is; null when there was no answer. */
  step(offset) {
    const size = this.file.size;
    if (offset === null) return this.put(null, `bytes */${size}`);
    const end = Math.min(offset + PIECE_BYTES, size);
    return this.put(this.file.slice(offset, end), `bytes ${offset}-${end - 1}/${size}`, offset, end === size);
  }

  put(body, range, offset = 0, last = false) {
    return new Promise((resolve) => {
      const request = (this.request = new XMLHttpRequest());
      request.upload.addEventListener("progress", (event) => this.tell({ state: "sending", sent: offset + event.loaded }));
      if (last) request.upload.addEventListener("load", () => this.tell({ state: "checking", sent: this.file.size }));
      request.addEventListener("load", () => resolve(request));
      for (const end of ["error", "abort", "timeout"]) request.addEventListener(end, () => resolve(null));
      request.open("PUT", this.address);
      request.setRequestHeader("Content-Type", "application/octet-stream");
      request.setRequestHeader("Content-Range", range);
      request.send(body);
    });
  }

  async refused(answer, times) {
    if (!PASSING.has(answer.status) || times > MOST_REFUSALS) throw new Refused(reason(answer) ?? "");
    if (answer.status === 401) this.address = (await this.renew()) ?? this.address;
  }

  /** Wait while paused, and longer after each try that failed, but not when the network comes back. */
  async rest(tries) {
    if (tries && !this.paused && !this.cancelled) {
      this.tell({ state: "waiting" });
      await this.sleep(Math.min(2 ** (tries - 1), LONGEST_WAIT_S));
    }
    while (this.paused && !this.cancelled) await this.sleep();
    if (this.cancelled) throw new Cancelled();
  }

  async sleep(seconds) {
    const online = () => this.wake();
    await new Promise((resolve) => {
      this.wake = resolve;
      window.addEventListener("online", online);
      if (seconds) setTimeout(resolve, seconds * 1000);
    });
    window.removeEventListener("online", online);
  }

  pause() {
    this.paused = true;
    this.request?.abort();
    this.wake();
  }

  resume() {
    this.paused = false;
    this.wake();
  }

  /** Stop, and let the server throw away what it has. */
  cancel() {
    this.cancelled = true;
    this.request?.abort();
    this.wake();
    fetch(this.address, { method: "DELETE" }).catch(() => {});
  }
}

/** The first byte that the server does not have. */
function next(answer) {
  const range = /^bytes=0-(\d+)$/.exec(answer.getResponseHeader("Range") ?? "");
  return range ? Number(range[1]) + 1 : 0;
}

/** The image API answers a refusal as text or JSON; take the sentence out of either. */
export function reason(request) {
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
