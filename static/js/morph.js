// Change an element into its fresh version without disturbing what a person is doing inside it.
import { Idiomorph } from "idiomorph/dist/idiomorph.esm.js";

const FIELDS = "input:not([type=hidden]), select, textarea";

/** Whether someone is busy in this element: an open menu, a focused control, or text not yet sent. */
export function isHeld(element) {
  if (element.querySelector(".dropdown-menu.show, details.dropdown[open]")) return true;
  const active = document.activeElement;
  if (active && active !== document.body && element.contains(active)) return true;
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
  now.toggleAttribute("data-changed", left);
  if (now.textContent !== before) freshen(now);
  return left;
}

function freshen(element) {
  element.classList.remove("nb-fresh");
  void element.offsetWidth;
  element.classList.add("nb-fresh");
}
