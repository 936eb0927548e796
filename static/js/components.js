// Alpine components. Names and plain properties only: the CSP build evaluates no expressions.
import { uploadForm } from "./upload.js";

export function registerComponents(Alpine) {
  /** Password field with a button that shows what was typed, and a hint while Caps Lock is on. */
  Alpine.data("password", () => ({
    shown: false,
    caps: false,
    get type() {
      return this.shown ? "text" : "password";
    },
    get hidden() {
      return !this.shown;
    },
    toggle() {
      this.shown = !this.shown;
    },
    look(event) {
      this.caps = event.getModifierState?.("CapsLock") ?? false;
    },
  }));

  /** Tabs over parts of one block, such as the three forms of a command. */
  Alpine.data("tabs", () => ({
    init() {
      this.$root.querySelectorAll("[role=tab]").forEach((tab) => {
        tab.addEventListener("click", () => this.choose(tab));
        tab.addEventListener("keydown", (event) => this.move(event, tab));
      });
      const kept = sessionStorage.getItem("nb-command-tab");
      const tab = kept && this.$root.querySelector(`[role=tab][data-kind="${kept}"]`);
      if (tab) this.choose(tab);
    },
    choose(tab) {
      this.$root.querySelectorAll("[role=tab]").forEach((other) => {
        const chosen = other === tab;
        other.classList.toggle("active", chosen);
        other.setAttribute("aria-selected", chosen);
        other.tabIndex = chosen ? 0 : -1;
        this.$root.querySelector(`[data-panel="${other.dataset.kind}"]`).hidden = !chosen;
      });
      sessionStorage.setItem("nb-command-tab", tab.dataset.kind);
    },
    move(event, tab) {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const all = [...this.$root.querySelectorAll("[role=tab]")];
      const next = all[(all.indexOf(tab) + step + all.length) % all.length];
      next.focus();
      this.choose(next);
    },
  }));

  Alpine.data("upload", uploadForm);
}
