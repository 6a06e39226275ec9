"use strict";
(() => {
  const numberOf = (text) => {
    const found = text.replace(/,/g, "").match(/^\s*[−-]?\d+(\.\d+)?/);
    return found ? Number(found[0].replace("−", "-")) : NaN;
  };
  const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
  const cellText = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.value ?? cell.textContent.trim();
  };

  function sort(table, column, heading) {
    const ascending = heading.getAttribute("aria-sort") !== "ascending";
    for (const other of heading.parentElement.cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", ascending ? "ascending" : "descending");
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => {
      const text = cellText(row, column);
      return { row, text, number: numberOf(text) };
    });
    const numeric = heading.classList.contains("n");
    rows.sort((a, b) => {
      if (numeric) {
        // Empty values stay at the end whichever way the others run.
        if (Number.isNaN(a.number) || Number.isNaN(b.number)) {
          return Number.isNaN(a.number) - Number.isNaN(b.number);
        }
        return ascending ? a.number - b.number : b.number - a.number;
      }
      return ascending ? collator.compare(a.text, b.text) : collator.compare(b.text, a.text);
    });
    body.append(...rows.map((item) => item.row));
  }

  for (const table of document.querySelectorAll("table[data-sortable]")) {
    [...table.tHead.rows[0].cells].forEach((heading, column) => {
      if (heading.hasAttribute("data-nosort")) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      heading.append(button);
      button.addEventListener("click", () => sort(table, column, heading));
    });
  }

  for (const input of document.querySelectorAll("input[data-filter]")) {
    const table = document.getElementById(input.dataset.filter);
    input.addEventListener("input", () => {
      const wanted = input.value.trim().toLocaleLowerCase();
      for (const row of table.tBodies[0].rows) {
        row.hidden = wanted !== "" && !row.textContent.toLocaleLowerCase().includes(wanted);
      }
    });
  }
})();
