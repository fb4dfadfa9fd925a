import { showCell, type Table } from '../report/table';

/** A table as HTML; the first column names the row. */
export function renderTable({ title, notes, columns, rows }: Table): HTMLElement {
  const table = document.createElement('table');
  const caption = table.createCaption();
  caption.append(title, ...notes.map((note) => element('small', note)));
  const head = table.createTHead().insertRow();
  for (const { key, label } of columns) {
    const heading = element('th', label);
    heading.scope = 'col';
    heading.classList.toggle('number', typeof rows[0]?.[key] === 'number');
    head.append(heading);
  }
  const body = table.createTBody();
  for (const row of rows) {
    const line = body.insertRow();
    columns.forEach((column, index) => {
      const value = row[column.key];
      const cell = element(index === 0 ? 'th' : 'td', showCell(value, column));
      if (index === 0) cell.setAttribute('scope', 'row');
      cell.classList.toggle('number', typeof value === 'number');
      line.append(cell);
    });
  }
  const scroll = element('div', '');
  scroll.className = 'scroll';
  // Reachable by keyboard: on a narrow screen the table is scrolled sideways.
  scroll.tabIndex = 0;
  scroll.setAttribute('role', 'region');
  scroll.setAttribute('aria-label', title);
  scroll.append(table);
  return scroll;
}

function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  text: string,
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}
