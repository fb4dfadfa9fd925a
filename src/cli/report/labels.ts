import { escapeHtml } from './html';

/** F1 of each label, the lowest first: what to look at. Both in the order of the task's labels. */
export function labelSection(labelF1: readonly number[], labels: readonly string[]): string {
  const rows = labels
    .map((label, index) => ({ label, f1: labelF1[index] ?? Number.NaN }))
    .sort((a, b) => a.f1 - b.f1)
    .map(
      ({ label, f1 }) =>
        `<tr><th scope="row">${escapeHtml(label)}</th><td class="number">${f1.toFixed(4)}</td></tr>`,
    );
  return `<section aria-labelledby="labels-title">
<h2 id="labels-title">Labels</h2>
<div class="scroll" tabindex="0" role="region" aria-label="F1 of each label"><table>
<caption>How well each label was found among the dev examples, the lowest first.</caption>
<thead><tr><th scope="col">label</th><th scope="col" class="number">F1</th></tr></thead>
<tbody>${rows.join('\n')}</tbody></table></div>
</section>`;
}
