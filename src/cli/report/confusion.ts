import { escapeHtml } from './html';

/** Beyond this a matrix is a carpet; the most frequent confusions say more. */
const LARGEST_MATRIX = 24;
const MOST_CONFUSIONS = 20;

/** How actual labels were predicted. `confusion[actual][predicted]`, in the order of `labels`. */
export function confusionSection(
  confusion: readonly (readonly number[])[],
  labels: readonly string[],
): string {
  const body = labels.length <= LARGEST_MATRIX ? matrix(confusion, labels) : frequent(confusion, labels);
  return `<section aria-labelledby="confusion-title">
<h2 id="confusion-title">Confusion</h2>
${body}
</section>`;
}

function matrix(confusion: readonly (readonly number[])[], labels: readonly string[]): string {
  const rows = labels.map((label, actual) => {
    const counts = confusion[actual] ?? [];
    const total = counts.reduce((a, b) => a + b, 0);
    const cells = labels.map((_, predicted) => {
      const count = counts[predicted] ?? 0;
      const share = total > 0 ? count / total : 0;
      const kind = actual === predicted ? 'right' : 'wrong';
      const classes = share > 0.55 ? `${kind} strong` : kind;
      const percent = Math.round(100 * share);
      return `<td class="${classes}" style="--share:${percent}%">${count}<small>${percent}%</small></td>`;
    });
    return `<tr><th scope="row">${escapeHtml(label)}</th>${cells.join('')}</tr>`;
  });
  const heads = labels.map((label) => `<th scope="col" class="head">${escapeHtml(label)}</th>`).join('');
  return `<div class="scroll" tabindex="0" role="region" aria-label="Confusion matrix"><table class="matrix">
<caption>Dev examples by actual label (rows) and predicted label (columns). Percentages are of the row.</caption>
<thead><tr><td class="corner">actual \\ predicted</td>${heads}</tr></thead>
<tbody>${rows.join('\n')}</tbody></table></div>`;
}

function frequent(confusion: readonly (readonly number[])[], labels: readonly string[]): string {
  const pairs = confusion.flatMap((counts, actual) =>
    counts.map((count, predicted) => ({ actual, predicted, count })),
  );
  const wrong = pairs
    .filter(({ actual, predicted, count }) => actual !== predicted && count > 0)
    .sort((a, b) => b.count - a.count)
    .slice(0, MOST_CONFUSIONS);
  if (wrong.length === 0) return '<p>No dev example was predicted wrongly.</p>';
  const rows = wrong.map(
    ({ actual, predicted, count }) =>
      `<tr><td>${escapeHtml(labels[actual] ?? '')}</td><td>${escapeHtml(labels[predicted] ?? '')}</td><td class="number">${count}</td></tr>`,
  );
  return `<div class="scroll" tabindex="0" role="region" aria-label="Most frequent confusions"><table>
<caption>The most frequent confusions among ${labels.length} labels.</caption>
<thead><tr><th scope="col">actual</th><th scope="col">predicted</th><th scope="col" class="number">examples</th></tr></thead>
<tbody>${rows.join('\n')}</tbody></table></div>`;
}
