'use strict';

// Colours that people with any kind of colour vision tell apart: Okabe and Ito (2008), black and yellow left out because
// they vanish on dark maps and on white paper.
const SOLVER_COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#7a5195', '#8c6d31'];

const TERMINATIONS = {
  converged: '#0072b2',
  stationary: '#56b4e9',
  max_iterations: '#e69f00',
  time_limit: '#f0c75e',
  stalled: '#cc79a7',
  degenerate: '#8c6d31',
  numerical_failure: '#d55e00',
  stopped: '#b9c2cc',
};

const solverColour = (data, solver) =>
  SOLVER_COLOURS[data.settings.solvers.indexOf(solver) % SOLVER_COLOURS.length];

// An element with attributes and children; strings become text.
function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value);
  }
  node.append(...children.flat().filter(child => child !== null));
  return node;
}

const dot = colour => element('span', {class: 'dot', style: `background:${colour}`});

const finite = value => typeof value === 'number' && Number.isFinite(value);

function formatSeconds(seconds) {
  if (!finite(seconds)) return '–';
  if (seconds < 1e-3) return `${(seconds * 1e6).toPrecision(3)} µs`;
  if (seconds < 1) return `${(seconds * 1e3).toPrecision(3)} ms`;
  return `${seconds.toPrecision(3)} s`;
}

const formatRatio = ratio => (finite(ratio) ? ratio.toFixed(4) : '–');
const formatPercent = share => `${(100 * share).toFixed(share === 1 || share === 0 ? 0 : 1)} %`;
const formatCount = count => (finite(count) ? Math.round(count).toLocaleString('en') : '–');

const words = name => name.replace(/_/g, ' ');

// The value below which the given share of the numbers lies.
function quantile(numbers, share) {
  const sorted = numbers.filter(finite).sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", Arial, sans-serif';

const CHART_CONFIG = {
  background: '#ffffff',
  axis: {
    labelFont: FONT, titleFont: FONT, labelColor: '#5b6675', titleColor: '#1c2430', titleFontWeight: 'normal',
    labelFontSize: 11, titleFontSize: 12, domainColor: '#b9c2cc', tickColor: '#b9c2cc', gridColor: '#eceff2',
  },
  legend: {labelFont: FONT, titleFont: FONT, labelColor: '#5b6675', titleColor: '#1c2430', titleFontWeight: 'normal',
    labelFontSize: 11, titleFontSize: 12},
  title: {font: FONT, color: '#1c2430', fontSize: 13, fontWeight: 600, anchor: 'start'},
};

// Draws a Vega specification into a node as SVG, replacing what was there.
function draw(node, specification) {
  if (node.view) node.view.finalize();
  node.view = new vega.View(vega.parse({config: CHART_CONFIG, ...specification}), {
    renderer: 'svg', container: node, hover: true,
  });
  return node.view.runAsync();
}
