// Keep the page true. The feed says only "this id changed, and this was message n"; the page then asks for the HTML of what it
// shows, so that rules, language and buttons are the server's. An opened feed, a gap in n or a return to the tab asks for all.
import { whileAway } from "./away.js";
import { isHeld, morph } from "./morph.js";

const GONE_MS = 500;
const FETCH_EVERY_MS = 250;
const RETRY_MS = [500, 1000, 2000, 4000, 8000];
const AMBER_AFTER_MS = 5000;
const POLL_EVERY_MS = 10000;
const BANNER_AFTER_MS = 60000;
const SAY_EVERY_MS = 5000;

let leaving = false;
document.addEventListener("htmx:beforeOnLoad", (event) => {
  if (event.detail.xhr.getResponseHeader("HX-Redirect")) leaving = true;
});

export function startLive(htmx) {
  const address = document.body.dataset.liveFeed;
  if (!address) return;
  const page = new LivePage(htmx);
  new Feed(address, page).open();
}

/** The websocket, its health, and the fall-back to asking again and again. */
class Feed {
  constructor(address, page) {
    this.address = new URL(address, location.href);
    this.address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    this.page = page;
    this.last = null;
    this.tries = 0;
    this.lostAt = null;
    this.trueAt = new Date();
    this.refused = false;
    whileAway(
      () => this.close(),
      () => this.open(),
    );
    setInterval(() => this.check(), 1000);
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState !== "visible") return;
      if (!this.isOpen()) this.open();
      this.page.everything();
    });
  }

  isOpen() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  open() {
    clearTimeout(this.timer);
    if (this.socket && this.socket.readyState <= WebSocket.OPEN) return;
    this.lostAt ??= Date.now();
    const socket = (this.socket = new WebSocket(this.address));
    socket.addEventListener("open", () => {
      this.tries = 0;
      this.lostAt = null;
      this.last = null;
      show("live");
      this.page.everything(); // the first time too: something may have changed since the server made the page
    });
    socket.addEventListener("message", (event) => this.take(JSON.parse(event.data)));
    socket.addEventListener("close", (event) => {
      if (socket !== this.socket) return;
      this.lostAt ??= Date.now();
      // 44xx: the server will not have us (signed out, no project). Polling finds the sign-in page.
      const wait = event.code >= 4400 && event.code < 4500 ? POLL_EVERY_MS : RETRY_MS[Math.min(this.tries, RETRY_MS.length - 1)];
      this.tries += 1;
      this.timer = setTimeout(() => this.open(), wait + Math.random() * 250);
    });
  }

  close() {
    clearTimeout(this.timer);
    const socket = this.socket;
    this.socket = null;
    this.lostAt = null;
    socket?.close();
  }

  take(message) {
    const gap = this.last !== null && message.n !== undefined && message.n !== this.last + 1;
    if (message.n !== undefined) this.last = message.n;
    if (gap) this.page.everything();
    else if (message.id) this.page.changed(message.id);
  }

  check() {
    if (this.isOpen()) {
      this.trueAt = new Date();
      return;
    }
    if (document.visibilityState !== "visible" || this.lostAt === null) return;
    const lost = Date.now() - this.lostAt;
    if (lost < AMBER_AFTER_MS) return;
    show(lost < BANNER_AFTER_MS ? "amber" : "polling", this.trueAt);
    if (Date.now() - (this.polledAt ?? 0) >= POLL_EVERY_MS) {
      this.polledAt = Date.now();
      this.page.everything().then((answered) => {
        if (answered) this.trueAt = new Date();
      });
    }
  }
}

/** Which parts of the page belong to which id, and the fetching of them. */
class LivePage {
  constructor(htmx) {
    this.htmx = htmx;
    this.wanted = new Map();
    this.held = new Map();
    this.said = 0;
    this.sentAt = 0;
    const catchUp = () => setTimeout(() => this.release(), 0);
    for (const name of ["focusout", "hidden.bs.dropdown"]) document.addEventListener(name, catchUp);
    document.addEventListener("nb:refresh", (event) => this.changed(event.detail.id));
    document.addEventListener("nb:refresh-all", () => this.everything());
    document.addEventListener("click", (event) => {
      if (event.target.closest("[data-show-new]")) location.reload();
    });
    for (const part of document.querySelectorAll("[data-live-every]")) {
      setInterval(() => this.followUp(part), part.dataset.liveEvery * 1000);
    }
  }

  /** Parts of the page that show `id`; a table is asked for ids that it does not show as well. */
  changed(id) {
    for (const source of document.querySelectorAll("[data-live-url]")) {
      if (source.dataset.live === id) {
        this.want(source, "*");
        continue;
      }
      const known = [...source.querySelectorAll("[data-live]")].some((part) => part.dataset.live === id);
      if (source.dataset.live === "*") this.want(source, "*");
      else if (known || source.dataset.liveNew !== undefined) this.want(source, id);
    }
    return this.flush();
  }

  everything() {
    for (const source of document.querySelectorAll("[data-live-url]")) {
      const ids = [...source.querySelectorAll("[data-live]")].map((part) => part.dataset.live);
      for (const id of ids.length ? ids : ["*"]) this.want(source, id);
    }
    return this.flush();
  }

  /** Ask again for what is under way, where no feed tells of it: marked by data-busy with its id. */
  followUp(source) {
    const busy = source.querySelectorAll("[data-busy]");
    if (!busy.length || document.visibilityState !== "visible") return;
    for (const part of busy) this.want(source, part.dataset.busy);
    this.flush();
  }

  want(source, id) {
    if (!this.wanted.has(source)) this.wanted.set(source, new Set());
    this.wanted.get(source).add(id);
  }

  /** Send what is wanted, at most four requests a second for the whole page; what comes meanwhile is joined. */
  flush() {
    if (document.visibilityState !== "visible") return Promise.resolve(false);
    this.pending ??= new Promise((done) => {
      setTimeout(async () => {
        this.pending = null;
        const next = this.wanted.entries().next();
        if (next.done) return done(true);
        const [source, ids] = next.value;
        this.wanted.delete(source);
        this.sentAt = Date.now();
        const answered = source.isConnected ? await this.fetch(source, [...ids]) : true;
        done(this.wanted.size ? (await this.flush()) && answered : answered);
      }, Math.max(0, FETCH_EVERY_MS - (Date.now() - this.sentAt)));
    });
    return this.pending;
  }

  async fetch(source, ids) {
    const url = new URL(source.dataset.liveUrl, location.href);
    if (ids[0] !== "*") url.searchParams.set("ids", ids.join(","));
    let response;
    try {
      response = await fetch(url, { headers: { "HX-Request": "true" }, redirect: "manual", cache: "no-store" });
    } catch {
      return false;
    }
    if (response.type === "opaqueredirect" || response.status === 401) {
      document.dispatchEvent(new CustomEvent("nb:signed-out"));
      return false;
    }
    const view = response.headers.get("X-View");
    if ((response.status === 404 && source.dataset.live) || (view && view !== source.dataset.view)) {
      // What this page is about is gone, or has become something that looks different as a whole. Whoever deleted it here is
      // on the way to another page: a reload would call him back.
      setTimeout(() => leaving || location.reload(), response.status === 404 ? GONE_MS : 0);
      return true;
    }
    if (!response.ok) return false;
    const template = document.createElement("template");
    template.innerHTML = await response.text();
    let strangers = 0;
    for (const fresh of [...template.content.children]) strangers += this.place(fresh) ? 0 : 1;
    if (strangers) this.countNew(source, strangers);
    return true;
  }

  /** Put one fetched part into the page; false when the page has no such part. */
  place(fresh) {
    const old = document.getElementById(fresh.id);
    if (!old) return fresh.hasAttribute("data-gone");
    if (fresh.hasAttribute("data-gone")) {
      if (isHeld(old)) this.held.set(fresh.id, fresh);
      else old.remove();
      return true;
    }
    const words = fresh.dataset.say !== old.dataset.say ? fresh.dataset.say : null;
    const copy = fresh.cloneNode(true);
    if (morph(old, fresh)) this.held.set(copy.id, copy);
    else this.held.delete(copy.id);
    const now = document.getElementById(copy.id);
    if (now) this.htmx.process(now);
    if (words) this.say(words);
    return true;
  }

  /** Someone let go of something: bring what was held back up to date. */
  release() {
    for (const [id, fresh] of [...this.held]) {
      const old = document.getElementById(id);
      if (old && [...old.querySelectorAll("td, [data-part]"), old].some(isHeldPart)) continue;
      this.held.delete(id);
      if (old) this.place(fresh);
    }
  }

  countNew(source, count) {
    const bar = document.getElementById(source.dataset.liveNew);
    if (!bar) return;
    const total = Number(bar.dataset.count ?? 0) + count;
    bar.dataset.count = total;
    bar.querySelector("[data-number]").textContent = total;
    bar.hidden = false;
  }

  say(words) {
    const region = document.getElementById("announcer");
    if (!region || Date.now() - this.said < SAY_EVERY_MS) return;
    this.said = Date.now();
    region.textContent = words;
  }
}

function isHeldPart(part) {
  return part.matches("td, [data-part]") && isHeld(part);
}

function show(state, since) {
  const dot = document.getElementById("live-dot");
  if (dot && dot.dataset.state !== state) {
    dot.dataset.state = state;
    const words = dot.getAttribute(`data-words-${state}`);
    dot.title = words;
    dot.querySelector("[data-words]").textContent = words;
  }
  const banner = document.getElementById("live-banner");
  if (!banner) return;
  banner.hidden = state !== "polling";
  if (since) banner.querySelector("[data-time]").textContent = since.toLocaleTimeString([], { hour12: false });
}
