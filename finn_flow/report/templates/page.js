// Tables sort by a click on a heading; a node is marked wherever it is on the page; all is unfolded on paper.
"use strict";

const value = cell => {
  const text = cell.textContent.trim();
  const number = Number(text.replace(/[,%]/g, ""));
  return text !== "" && !Number.isNaN(number) ? number : text === "\u2013" ? -Infinity : text;
};

const compare = (a, b) => (typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0) : typeof a === "number" ? -1 : 1);

const sort = (table, heading) => {
  const column = [...heading.parentNode.children].indexOf(heading);
  const descending = heading.ariaSort === "ascending";
  for (const other of heading.parentNode.children) other.ariaSort = "none";
  heading.ariaSort = descending ? "descending" : "ascending";
  const body = table.tBodies[0];
  const rows = [...body.rows].sort((a, b) => compare(value(a.cells[column]), value(b.cells[column])));
  body.append(...(descending ? rows.reverse() : rows));
};

for (const table of document.querySelectorAll("table.sortable")) {
  for (const heading of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    heading.ariaSort = "none";
    button.addEventListener("click", () => sort(table, heading));
  }
}

const mark = event => {
  const name = event.target.closest?.("[data-node]")?.dataset.node;
  for (const other of document.querySelectorAll(".same")) other.classList.remove("same");
  if (name) for (const same of document.querySelectorAll(`[data-node="${CSS.escape(name)}"]`)) same.classList.add("same");
};
document.addEventListener("mouseover", mark);

let folded = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("details:not([open])")];
  for (const details of folded) details.open = true;
});
addEventListener("afterprint", () => {
  for (const details of folded) details.open = false;
});
