"use strict";
// Exports of tables, copying of commands, the choice of light or dark, and everything open on paper.
(() => {
  const make = (tag, text, parent) => { const one = document.createElement(tag); one.textContent = text; if (parent) parent.append(one); return one; };
  const rowsOf = (table) => [...table.rows].map((row) => [...row.cells].map((cell) => cell.textContent.trim().replace(/\s+/g, " ")));
  // A cell that a spreadsheet would take for a formula is quoted with an apostrophe; numbers with a sign stay numbers.
  const csvCell = (text) => { const safe = /^[=+\-@\t\r]/.test(text) && !/^[+-]?[\d.,]/.test(text) ? `'${text}` : text; return /[",\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe; };
  const texWords = { "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "·": "$\\cdot$", "<": "$<$", ">": "$>$" };
  const texCell = (text) => text.replace(/[\\~^·<>&%$#_{}]/g, (sign) => texWords[sign] ?? `\\${sign}`);
  const FORMS = {
    CSV: ["csv", (rows) => rows.map((row) => row.map(csvCell).join(",")).join("\n") + "\n"],
    Markdown: ["md", ([head, ...rows]) => [head, head.map(() => "---"), ...rows].map((row) => `| ${row.map((cell) => cell.replace(/[\\|]/g, "\\$&")).join(" | ")} |`).join("\n") + "\n"],
    LaTeX: ["tex", ([head, ...rows]) => [`\\begin{tabular}{l${"r".repeat(head.length - 1)}}`, "\\hline", `${head.map(texCell).join(" & ")} \\\\`, "\\hline",
      ...rows.map((row) => `${row.map(texCell).join(" & ")} \\\\`), "\\hline", "\\end{tabular}"].join("\n") + "\n"],
  };
  const save = (name, text) => { const link = document.createElement("a"); link.href = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
    link.download = name; link.click(); setTimeout(() => URL.revokeObjectURL(link.href), 10000); };
  for (const table of document.querySelectorAll("table[data-name]")) {
    const tools = make("div", "", null); tools.className = "tools"; table.closest(".wide").before(tools); make("span", "Save as", tools);
    for (const [form, [suffix, write]] of Object.entries(FORMS)) {
      const button = make("button", form, tools); button.type = "button"; button.setAttribute("aria-label", `Save the table ${table.caption.textContent} as ${form}`);
      button.addEventListener("click", () => save(`${table.dataset.name}.${suffix}`, write(rowsOf(table))));
    }
  }
  for (const code of document.querySelectorAll(".audit code")) {
    const button = make("button", "copy", null); button.type = "button"; code.after(" ", button);
    button.addEventListener("click", async () => { try { await navigator.clipboard.writeText(code.textContent); button.textContent = "copied"; } catch { getSelection().selectAllChildren(code); } });
  }
  const themes = ["as the system", "light", "dark"], theme = make("button", "", null); theme.type = "button"; theme.className = "theme";
  const choose = (name) => { theme.textContent = `Colours: ${name}`; if (name === themes[0]) delete document.documentElement.dataset.theme; else document.documentElement.dataset.theme = name; };
  theme.addEventListener("click", () => choose(themes[(themes.indexOf(document.documentElement.dataset.theme ?? themes[0]) + 1) % 3]));
  document.querySelector("header").append(theme); choose(themes[0]);
  if (matchMedia("(max-width: 70rem)").matches) document.querySelector("nav details").open = false;
  let closed = [];
  addEventListener("beforeprint", () => { closed = [...document.querySelectorAll("details:not([open])")]; for (const one of closed) one.open = true; });
  addEventListener("afterprint", () => { for (const one of closed) one.open = false; });
})();
