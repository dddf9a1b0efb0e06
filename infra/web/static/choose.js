// Choosing many: a box for all of a page, and how many are chosen. Without this each has its own box.
"use strict";
(() => {
  const form = document.querySelector("form[data-choose]");
  if (!form) return;
  const told = form.querySelector("[data-chosen]");
  const boxes = () => [...form.querySelectorAll("input[name=notice]")];

  function tell() {
    const all = form.querySelector("[data-all]");
    const chosen = boxes().filter((box) => box.checked).length;
    told.hidden = chosen === 0;
    told.textContent = document.documentElement.lang === "en" ? `${chosen} chosen` : `已选 ${chosen} 件`;
    if (all) {
      all.hidden = false;
      all.checked = chosen > 0 && chosen === boxes().length;
    }
  }

  form.addEventListener("change", (event) => {
    if (event.target.matches("[data-all]")) for (const box of boxes()) box.checked = event.target.checked;
    tell();
  });
  form.addEventListener("submit", (event) => {
    if (!boxes().some((box) => box.checked)) {
      event.preventDefault();
      told.hidden = false;
      told.textContent = document.documentElement.lang === "en" ? "Choose some first" : "请先选择";
    }
  });
  new MutationObserver(tell).observe(form.querySelector("[data-part]"), { childList: true });
  tell();
})();
