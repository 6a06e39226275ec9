"use strict";
// Values put into the page by Page.add_data.
function pageData(name) {
  for (const block of document.querySelectorAll('script[type="application/json"]')) {
    if (block.dataset.name === name) return JSON.parse(block.textContent);
  }
  return undefined;
}
document.documentElement.classList.add("js");
