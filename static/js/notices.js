// Notices: at most three, six seconds, paused under the pointer; errors stay until closed.
const LAST_MS = 6000;
const MOST = 3;

export function startNotices() {
  const stack = document.getElementById("notices");
  if (!stack) return;
  for (const notice of stack.children) keep(notice);

  document.addEventListener("nb:notice", (event) => add(event.detail));
  startSignedOut();
  for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(name, (event) => {
      if (event.detail.xhr?.status === 401) return;
      const request = event.detail.xhr?.getResponseHeader?.("X-Openstack-Request-Id");
      const words = name === "htmx:responseError" ? stack.dataset.wordsFailed : stack.dataset.wordsLost;
      add({ level: "error", text: request ? `${words} (${request})` : words });
    });
  }

  function add({ level = "info", text }) {
    const notice = stack.querySelector("template").content.firstElementChild.cloneNode(true);
    notice.dataset.level = level;
    notice.querySelector("[data-text]").textContent = text;
    stack.append(notice);
    keep(notice);
    while (stack.querySelectorAll(".nb-notice").length > MOST) stack.querySelector(".nb-notice").remove();
  }

  function keep(notice) {
    if (!notice.matches(".nb-notice")) return;
    notice.querySelector("[data-close]")?.addEventListener("click", () => notice.remove());
    if (notice.dataset.level === "error") return;
    let timer = setTimeout(() => notice.remove(), LAST_MS);
    notice.addEventListener("pointerenter", () => clearTimeout(timer));
    notice.addEventListener("pointerleave", () => {
      timer = setTimeout(() => notice.remove(), LAST_MS);
    });
  }
}

/** The session ended under an open page: a layer over it, and a fresh CSRF token once signed in elsewhere. */
function startSignedOut() {
  const layer = document.getElementById("signed-out");
  if (!layer) return;
  document.addEventListener("nb:signed-out", () => layer.open || layer.showModal());
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, requestConfig } = event.detail;
    if (xhr.status === 401) document.dispatchEvent(new CustomEvent("nb:signed-out"));
    if (xhr.status !== 403 || !xhr.responseText.includes("data-csrf-failed")) return;
    event.detail.shouldSwap = false; // it would take the place of what was typed
    again(requestConfig.elt);
  });
  layer.querySelector("[data-signed-in]").addEventListener("click", renew);

  /** The token is of an older session: take a fresh one and send once more; without a session ask for a new one. */
  async function again(element) {
    const tried = element.dataset.sentAgain;
    element.dataset.sentAgain = "yes";
    if (tried || !(await renew())) document.dispatchEvent(new CustomEvent("nb:signed-out"));
    else if (element.requestSubmit) element.requestSubmit();
    else element.click();
    if (tried) delete element.dataset.sentAgain;
  }

  async function renew() {
    const answer = await fetch(layer.dataset.csrfUrl, { headers: { Accept: "application/json" }, redirect: "manual" });
    if (!answer.ok) return false;
    const { token } = await answer.json();
    document.querySelector('meta[name="csrf-token"]').content = token;
    for (const field of document.querySelectorAll("[name=csrfmiddlewaretoken]")) field.value = token;
    layer.close();
    document.dispatchEvent(new CustomEvent("nb:refresh-all"));
    return true;
  }
}
