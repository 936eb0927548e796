// Change an element into its fresh version without disturbing what a person is doing inside it.
import { Idiomorph } from "idiomorph/dist/idiomorph.esm.js";

const FIELDS = "input:not([type=hidden]), select, textarea";

/** Whether someone is busy in this element: an open menu, a control that he focused himself, or text not yet sent. */
export function isHeld(element) {
  if (element.querySelector(".dropdown-menu.show, details.dropdown[open]")) return true;
  const active = document.activeElement;
  if (active && active !== document.body && element.contains(active) && !("placed" in active.dataset)) return true;
  return [...element.querySelectorAll(FIELDS)].some(
    (field) => field.defaultValue !== undefined && field.type !== "checkbox" && field.value !== field.defaultValue,
  );
}

/**
 * Morph `old` into `fresh`. Cells that are held stay as they are, and the return value says that something was left out.
 * With `force` nothing is held: the answer to one's own click.
 */
export function morph(old, fresh, { force = false } = {}) {
  let left = false;
  const before = old.textContent;
  const placed = old.contains(document.activeElement) && "placed" in document.activeElement.dataset;
  Idiomorph.morph(old, fresh, {
    morphStyle: "outerHTML",
    restoreFocus: true,
    callbacks: {
      beforeNodeMorphed(node) {
        if (force || !(node instanceof Element) || !node.matches("td, [data-part]") || !isHeld(node)) return true;
        left = true;
        return false;
      },
      beforeNodeRemoved: (node) => force || !(node instanceof Element && node.matches("[data-keep]")),
      beforeAttributeUpdated: (name, node) => !(name === "open" && node.matches("details, dialog")),
    },
  });
  const now = document.getElementById(fresh.id) ?? old;
  if (placed && document.activeElement === document.body) placeFocus(now);
  now.toggleAttribute("data-changed", left);
  if (now.textContent !== before) freshen(now);
  return left;
}

/**
 * Put the focus on the first button of an element whose pressed one is gone, not to the top of the page. Nobody chose that button,
 * so it holds nothing back until the focus leaves it.
 */
export function placeFocus(element) {
  const next = element.querySelector(".nb-actions a, .nb-actions button");
  if (!next) return;
  next.focus();
  next.dataset.placed = "";
  next.addEventListener("blur", () => delete next.dataset.placed, { once: true });
}

function freshen(element) {
  element.classList.remove("nb-fresh");
  void element.offsetWidth;
  element.classList.add("nb-fresh");
}
