// A search field narrows a long list down while one types; without this the form does the same at the server.
"use strict";
for (const field of document.querySelectorAll("input[data-filter]")) {
  const list = document.getElementById(field.dataset.filter);
  field.addEventListener("input", () => {
    const wanted = field.value.trim().toLowerCase();
    for (const one of list.querySelectorAll("[data-text]")) one.hidden = !one.dataset.text.toLowerCase().includes(wanted);
    for (const group of list.querySelectorAll("[data-group]")) {
      const any = group.querySelector("[data-text]:not([hidden])") !== null;
      group.hidden = !any;
      if (wanted) group.open = any;
    }
  });
}
