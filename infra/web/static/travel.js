// The slider through a case's record: says on which day a step was while one drags, and goes there when one lets go.
"use strict";
for (const form of document.querySelectorAll("form[data-travel]")) {
  const slider = form.querySelector("input[type=range]");
  const said = form.querySelector("output");
  const days = JSON.parse(form.dataset.days);
  const english = document.documentElement.lang === "en";

  slider.addEventListener("input", () => {
    const step = Number(slider.value);
    let day = "";
    for (const [first, name] of days) if (first <= step) day = name;
    said.textContent = english ? `step ${step} / ${slider.max} · ${day}` : `第 ${step} / ${slider.max} 步 · ${day}`;
    slider.setAttribute("aria-valuetext", said.textContent);
  });
  slider.addEventListener("change", () => form.requestSubmit());
}
