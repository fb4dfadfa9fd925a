/* global uPlot */
// Runs inside report.html: draws the curves that stand in the page as JSON.
(() => {
  const curves = JSON.parse(document.getElementById('curves').textContent);
  // Read at every drawing, so that a change between light and dark only needs a redraw.
  const colour = (name) => () =>
    getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const plots = [];

  const axis = (label, more) => ({
    label,
    labelSize: 22,
    labelFont: '12px system-ui, sans-serif',
    font: '12px system-ui, sans-serif',
    stroke: colour('muted'),
    grid: { stroke: colour('line'), width: 1 },
    ticks: { stroke: colour('line'), width: 1 },
    ...more,
  });

  const shown = (digits) => (_plot, value) => (value == null ? '–' : value.toFixed(digits));
  const exact = (_plot, value) => (value == null ? '–' : value.toPrecision(3));

  const line = (label, name, more) => ({
    label,
    stroke: colour(name),
    width: 2,
    points: { show: false },
    ...more,
  });

  function draw(id, height, data, options) {
    const place = document.querySelector(`#${id} .plot`);
    if (place === null) return;
    const plot = new uPlot(
      { width: Math.max(place.clientWidth, 200), height, cursor: { y: false }, ...options },
      data,
      place,
    );
    plots.push(plot);
    new ResizeObserver(() => {
      if (place.clientWidth > 0) plot.setSize({ width: place.clientWidth, height });
    }).observe(place);
  }

  const wholeNumbers = {
    incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 1e6],
  };

  draw('loss', 300, [curves.steps, curves.loss, curves.smoothedLoss], {
    scales: { x: { time: false } },
    series: [
      { label: 'Step' },
      line('Loss', 'blue-faint', { width: 1, value: shown(4) }),
      line('Smoothed', 'blue', { value: shown(4) }),
    ],
    axes: [axis('step', wholeNumbers), axis('loss', { size: 56 })],
  });

  draw('learning-rate', 220, [curves.steps, curves.learningRate], {
    scales: { x: { time: false } },
    series: [{ label: 'Step' }, line('Learning rate', 'orange', { value: exact })],
    axes: [
      axis('step', wholeNumbers),
      axis('learning rate', {
        size: 68,
        values: (_plot, ticks) => ticks.map((tick) => (tick === 0 ? '0' : tick.toExponential(0))),
      }),
    ],
  });

  const devColours = ['blue', 'green', 'orange'];
  draw('dev', 220, [curves.epochs, ...curves.dev.map(({ values }) => values)], {
    // Half an epoch to each side keeps the first and last point off the frame, and a single one in the middle.
    scales: { x: { time: false, range: (_plot, least, most) => [least - 0.5, most + 0.5] } },
    series: [
      { label: 'Epoch' },
      ...curves.dev.map(({ name }, index) =>
        line(name, devColours[index], {
          value: shown(4),
          points: { show: true, size: 7, fill: colour('surface') },
        }),
      ),
    ],
    axes: [axis('epoch', wholeNumbers), axis('metric', { size: 56 })],
  });

  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    for (const plot of plots) plot.redraw(false, true);
  });
})();
