// Pages that say where their events come from are shown anew when there are some: only their parts with data-part.
"use strict";
(() => {
  const address = document.body.dataset.live;
  if (!address || !window.EventSource) return;
  const PAUSE = 400;
  let waiting = null;
  let asking = false;

  async function refresh() {
    waiting = null;
    if (asking) { waiting = setTimeout(refresh, PAUSE); return; }
    asking = true;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!answer.ok || answer.redirected) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of document.querySelectorAll("[data-part]")) {
        const other = fresh.getElementById(part.id);
        if (!other || other.innerHTML === part.innerHTML) continue;
        if (part.contains(document.activeElement) && document.activeElement !== part) continue;
        const chosen = [...part.querySelectorAll("input[type=checkbox]:checked")].map((box) => box.value);
        part.innerHTML = other.innerHTML;
        for (const box of part.querySelectorAll("input[type=checkbox]")) box.checked = chosen.includes(box.value);
      }
    } finally {
      asking = false;
    }
  }

  function soon() {
    if (waiting === null) waiting = setTimeout(refresh, PAUSE);
  }

  const source = new EventSource(address);
  source.onmessage = soon;
  for (const kind of (document.body.dataset.liveKinds || "").split(" ").filter(Boolean)) source.addEventListener(kind, soon);
  window.addEventListener("pagehide", () => source.close());
})();
