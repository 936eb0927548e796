// Every page of the dashboard loads this: htmx, the few Bootstrap parts we use, Alpine's components, and live rows.
import htmx from "htmx.org/dist/htmx.esm.js";
import "@tabler/core/js/src/bootstrap/dropdown";
import "@tabler/core/js/src/bootstrap/collapse";
import Alpine from "@alpinejs/csp";

import { registerComponents } from "./components.js";
import { startCopyButtons, startSaveButtons } from "./copy.js";
import { startDialog } from "./dialog.js";
import { startLive } from "./live.js";
import { morph, placeFocus } from "./morph.js";
import { startNotices } from "./notices.js";

Object.assign(htmx.config, {
  allowEval: false,
  allowScriptTags: false,
  includeIndicatorStyles: false,
  selfRequestsOnly: true,
  historyCacheSize: 0,
  scrollBehavior: "auto",
  // A refusal is an answer to show: the server renders it. Only its own faults are left to the notice.
  responseHandling: [
    { code: "204", swap: false },
    { code: "[23]..", swap: true },
    { code: "4(?:00|03|04|09|13|22|29)", swap: true, error: false },
    { code: "...", swap: false, error: true },
  ],
});

htmx.defineExtension("morph", {
  isInlineSwap: (style) => style === "morph",
  handleSwap(style, target, fragment) {
    if (style !== "morph") return false;
    const fresh = fragment.querySelector(`#${CSS.escape(target.id)}`);
    if (!fresh) return false;
    const active = document.activeElement;
    const focused = active === document.body || target.contains(active); // a button that was locked meanwhile has lost it
    morph(target, fresh, { force: true });
    const now = document.getElementById(target.id);
    if (focused && !now.contains(document.activeElement)) placeFocus(now);
    return [now];
  },
});

document.body.addEventListener("htmx:configRequest", (event) => {
  const token = document.querySelector('meta[name="csrf-token"]');
  if (token && event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = token.content;
});

registerComponents(Alpine);
Alpine.start();
startCopyButtons();
startSaveButtons();
startNotices();
startDialog(htmx);
startLive(htmx);
