// What was not decided when the page was made is asked for again, a few times.
"use strict";
const tries = Number(sessionStorage.getItem(location.href) || 0);
if (tries < 5) {
  sessionStorage.setItem(location.href, tries + 1);
  setTimeout(() => location.reload(), 1500 * (tries + 1));
}
