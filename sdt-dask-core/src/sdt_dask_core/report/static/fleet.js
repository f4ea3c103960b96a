"use strict";
(() => {
  const ROW = 39;            // px; as report.css has it, with its line
  const SPARE = 12;          // rows drawn beyond what one sees
  const ON_PAPER = 500;      // rows that are printed
  const DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz";
  const KEY = 0, PAGE = 1, GRADE = 2, SKIPPED = 3, WHY = 4, PATTERNS = 5, FIRST_NUMBER = 6;
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const box = document.getElementById("systems");
  if (!box) return;
  let rows = read("rows");
  const about = read("about");
  const n = about.numbers;
  const SPARK = FIRST_NUMBER + n;
  const order = new Map(about.grades.map(([name], position) => [name, position]));
  const sign = new Map(about.grades);
  const head = box.querySelectorAll("thead th[data-column]");
  const body = box.querySelector("tbody");
  const table = box.querySelector("table");
  const said = document.getElementById("shown");
  const search = document.getElementById("search");
  const select = document.getElementById("pattern");
  const boxes = [...document.querySelectorAll("input[name=grade]")];
  const searched = () => rows.map((row) => `${row[KEY]}\n${row[WHY]}`.toLowerCase());
  let text = searched();
  let shown = rows.map((_, position) => position);
  let sorting = { column: null, falls: false };

  const cell = (row, content, kind) => {
    const made = row.insertCell();
    if (kind) made.className = kind;
    if (content instanceof Node) made.append(content);
    else { made.textContent = content; if (kind !== "number") made.title = content; }
    return made;
  };
  const number = (value) => {
    if (value === null) return "–";
    const size = Math.abs(value);
    return (size >= 1000 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(3)))).replace("-", "−");
  };
  const key = (row) => {
    const name = document.createElement("bdi");
    name.textContent = row[KEY];
    name.title = row[KEY];
    if (!row[PAGE]) return name;
    const link = document.createElement("a");
    link.href = row[PAGE];
    link.append(name);
    return link;
  };
  const grade = (row) => {
    const mark = document.createElement("span");
    mark.className = `grade ${order.has(row[GRADE]) ? row[GRADE] : "todo"}`;
    mark.textContent = `${sign.get(row[GRADE]) || "?"} ${row[GRADE]}`;
    return mark;
  };
  const spark = (digits) => {
    const space = "http://www.w3.org/2000/svg";
    const drawing = document.createElementNS(space, "svg");
    drawing.setAttribute("class", "spark");
    drawing.setAttribute("viewBox", "0 0 110 26");
    drawing.setAttribute("aria-hidden", "true");
    const step = 110 / Math.max(digits.length - 1, 1);
    let path = "", isOpen = false;
    [...digits].forEach((digit, position) => {
      const height = DIGITS.indexOf(digit);
      if (height >= 0) path += `${isOpen ? "L" : "M"}${(position * step).toFixed(1)} ${(24.5 - 23 * height / 35).toFixed(1)}`;
      isOpen = height >= 0;
    });
    const line = document.createElementNS(space, "path");
    line.setAttribute("d", path);
    drawing.append(line);
    return drawing;
  };
  const gap = (height) => {
    const row = document.createElement("tr");
    row.className = "gap";
    row.setAttribute("aria-hidden", "true");
    const made = row.insertCell();
    made.colSpan = n + 4;
    made.style.height = `${height}px`;
    return row;
  };
  const drawRow = (position) => {
    const data = rows[shown[position]];
    const row = document.createElement("tr");
    row.setAttribute("aria-rowindex", String(position + 2));
    cell(row, key(data));
    cell(row, grade(data));
    for (let i = 0; i < n; i += 1) cell(row, number(data[FIRST_NUMBER + i]), "number");
    cell(row, spark(data[SPARK]));
    cell(row, (data[SKIPPED] ? "unchanged; " : "") + data[WHY]);
    return row;
  };
  const draw = (from, to) => {
    // What has the focus is drawn anew when one scrolls; keep it where it was.
    const focused = body.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    const drawn = [];
    if (from > 0) drawn.push(gap(from * ROW));
    for (let position = from; position < to; position += 1) drawn.push(drawRow(position));
    if (to < shown.length) drawn.push(gap((shown.length - to) * ROW));
    body.replaceChildren(...drawn);
    if (focused) [...body.querySelectorAll("a")].find((link) => link.getAttribute("href") === focused)?.focus({ preventScroll: true });
  };
  let window_ = [-1, -1];
  const scroll = () => {
    const from = Math.max(0, Math.floor(box.scrollTop / ROW) - SPARE);
    const to = Math.min(shown.length, Math.ceil((box.scrollTop + box.clientHeight) / ROW) + SPARE);
    if (from === window_[0] && to === window_[1]) return;
    window_ = [from, to];
    draw(from, to);
  };
  const again = (top) => {
    window_ = [-1, -1];
    box.scrollTop = top;
    table.setAttribute("aria-rowcount", String(shown.length + 1));
    said.textContent = `${shown.length.toLocaleString("en")} of ${rows.length.toLocaleString("en")} systems shown`;
    scroll();
    scroll();                // the box may have grown by what was drawn
  };
  const value = (row, column) => {
    if (column === "key") return row[KEY];
    if (column === "grade") return order.get(row[GRADE]) ?? 9;
    return row[FIRST_NUMBER + Number(column)];
  };
  const compare = (a, b) => {
    const x = value(rows[a], sorting.column), y = value(rows[b], sorting.column);
    if (x === null || y === null) return (x === null) - (y === null) || a - b;   // what is missing comes last, both ways
    const found = typeof x === "string" ? names.compare(x, y) : x - y;
    return (sorting.falls ? -found : found) || a - b;
  };
  const names = new Intl.Collator("en", { numeric: true });
  const choose = (top = 0) => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const grades = new Set(boxes.filter((each) => each.checked).map((each) => each.value));
    const pattern = select.value === "" ? null : Number(select.value);
    shown = [];
    rows.forEach((row, position) => {
      if (grades.size && !grades.has(row[GRADE])) return;
      if (pattern !== null && !row[PATTERNS].includes(pattern)) return;
      if (words.every((word) => text[position].includes(word))) shown.push(position);
    });
    if (sorting.column !== null) shown.sort(compare);
    again(top);
  };
  head.forEach((heading) => heading.querySelector("button").addEventListener("click", () => {
    const column = heading.dataset.column;
    sorting = { column, falls: sorting.column === column && !sorting.falls };
    head.forEach((each) => each.setAttribute("aria-sort", each !== heading ? "none" : sorting.falls ? "descending" : "ascending"));
    choose();
  }));
  let waiting = 0;
  search.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(() => choose(), 80); });
  select.addEventListener("change", () => choose());
  boxes.forEach((each) => each.addEventListener("change", () => choose()));
  box.addEventListener("scroll", () => requestAnimationFrame(scroll));
  addEventListener("resize", scroll);
  addEventListener("beforeprint", () => draw(0, Math.min(shown.length, ON_PAPER)));
  addEventListener("afterprint", () => { window_ = [-1, -1]; scroll(); });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-pattern]");
    if (!button) return;
    select.value = button.dataset.pattern;
    choose();
    box.scrollIntoView({ block: "center" });
    box.focus({ preventScroll: true });
  });
  choose();
  // For the page that follows a run: the same choice, order and place, with the rows that the page has now.
  document.addEventListener("sdt-dask-rows", () => {
    rows = read("rows");
    text = searched();
    choose(box.scrollTop);
  });
})();
