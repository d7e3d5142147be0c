'use strict';

// The page of `study conditioning`: shares and cost of each solver against the condition number.

const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹';
const superscript = number => String(number).split('').map(digit => SUPERSCRIPTS[Number(digit)] ?? '⁻').join('');
const powerOfTen = value => {
  const exponent = Math.log10(value);
  return Number.isInteger(exponent) && exponent !== 0 ? `10${superscript(exponent)}` : String(value);
};

// Solvers beyond the palette's eight colours come again with dashes; shapes tell them apart without any colour.
const SHAPES = ['circle', 'square', 'triangle-up', 'diamond', 'cross', 'triangle-down', 'triangle-left', 'triangle-right'];
const solverIndex = solver => data.settings.solvers.indexOf(solver);
const solverDash = solver => (solverIndex(solver) < SOLVER_COLOURS.length ? [] : [5, 3]);
const solverShape = solver => SHAPES[(solverIndex(solver) + Math.floor(solverIndex(solver) / SOLVER_COLOURS.length)) % SHAPES.length];

const COSTS = {
  seconds: {title: 'seconds', of: cell => cell.seconds},
  evaluations: {title: 'evaluations', of: cell => cell.evaluations},
};

// One row for each solver and κ: a value with its band.
const shareRows = (cells, key) => cells.filter(cell => cell.runs > 0).map(cell =>
  ({solver: cell.solver, kappa: cell.kappa, value: cell[key] / cell.runs, low: cell[`${key}_interval`][0],
    high: cell[`${key}_interval`][1], note: `${cell[key]} of ${cell.runs}`}));
const costRows = (cells, cost) => cells.filter(cell => cell.runs > 0 && cost.of(cell).every(value => value > 0)).map(cell => {
  const [low, value, high] = cost.of(cell);
  return {solver: cell.solver, kappa: cell.kappa, value, low, high, note: `${cell.runs} runs`};
});

// Lines that coincide are drawn beside one another: each solver a little to the right of the one before, on the log axis.
function sidestepped(rows, solvers, kappas) {
  const decades = Math.max(1, Math.log10(kappas[kappas.length - 1] / kappas[0]));
  const step = 0.012 * decades;
  const place = solver => (solvers.indexOf(solver) - (solvers.length - 1) / 2) * step;
  return rows.filter(row => solvers.includes(row.solver)).map(row => ({...row, x: row.kappa * 10 ** place(row.solver),
    colour: solverColour(data, row.solver), dash: solverDash(row.solver), shape: solverShape(row.solver)}));
}

function logDomain(rows) {
  const low = Math.floor(Math.log10(Math.min(...rows.map(row => row.low), Infinity)));
  const high = Math.ceil(Math.log10(Math.max(...rows.map(row => row.high), 0)));
  if (!Number.isFinite(low) || !Number.isFinite(high)) return [1e-3, 1];
  return [10 ** low, 10 ** Math.max(high, low + 1)];
}

function powersBetween([low, high]) {
  const values = [];
  for (let k = Math.round(Math.log10(low)); k <= Math.round(Math.log10(high)); ++k) values.push(10 ** k);
  return values;
}

function againstKappa({title, rows, width, height, log, yTitle, visible}) {
  const kappas = data.settings.kappas;
  const solvers = data.settings.solvers.filter(solver => visible.has(solver));
  const shown = sidestepped(rows, solvers, kappas);
  const margin = 10 ** (0.05 * Math.max(1, Math.log10(kappas[kappas.length - 1] / kappas[0])));
  const yDomain = log ? logDomain(rows) : [0, 1.03];  // the line at 100 % is whole
  const most = Math.max(2, Math.floor(width / 62));
  const ticks = kappas.filter((_, i) => i % Math.ceil(kappas.length / most) === 0);
  const label = values => ({labels: {update: {text: {signal:
    `(${JSON.stringify(Object.fromEntries(values.map(value => [String(value), powerOfTen(value)])))})[toString(datum.value)]`}}}});
  const decades = log ? powersBetween(yDomain) : [];
  const lines = (mark, encode) => ({
    type: 'group', from: {facet: {name: 'series', data: 'rows', groupby: 'solver'}},
    marks: [{type: mark, from: {data: 'series'}, encode: {enter: {x: {scale: 'x', field: 'x'}, ...encode}}}],
  });
  return {
    width: width - 58, height, padding: 4, autosize: {type: 'pad'},
    ...(title ? {title} : {}),
    data: [{name: 'rows', values: shown}],
    scales: [
      {name: 'x', type: 'log', domain: [kappas[0] / margin, kappas[kappas.length - 1] * margin], range: 'width', nice: false},
      log ? {name: 'y', type: 'log', domain: yDomain, range: 'height', nice: false, clamp: true}
        : {name: 'y', type: 'linear', domain: yDomain, range: 'height', nice: false},
    ],
    axes: [
      {orient: 'bottom', scale: 'x', title: 'condition number κ of the chart', values: ticks, grid: true, encode: label(ticks)},
      {orient: 'left', scale: 'y', title: yTitle, grid: true,
        ...(log ? {values: decades, encode: label(decades)} : {values: [0, 0.25, 0.5, 0.75, 1], format: '%'})},
    ],
    marks: [
      lines('area', {y: {scale: 'y', field: 'low'}, y2: {scale: 'y', field: 'high'}, fill: {field: 'colour'}, fillOpacity: {value: 0.08}}),
      lines('line', {y: {scale: 'y', field: 'value'}, stroke: {field: 'colour'}, strokeWidth: {value: 2}, strokeDash: {field: 'dash'}}),
      {type: 'symbol', from: {data: 'rows'}, encode: {enter: {
        x: {scale: 'x', field: 'x'}, y: {scale: 'y', field: 'value'}, shape: {field: 'shape'}, size: {value: 46},
        fill: {field: 'colour'}, stroke: {value: '#ffffff'}, strokeWidth: {value: 0.8},
        tooltip: {signal: "datum.solver + ', κ = ' + format(datum.kappa, '~g') + ': ' + format(datum.value, '.3~g') + ' [' + " +
          "format(datum.low, '.3~g') + ', ' + format(datum.high, '.3~g') + '], ' + datum.note"}}}},
    ],
  };
}

// A sample of the solver's line, as the charts draw it.
function sampleLine(solver) {
  const space = 'http://www.w3.org/2000/svg';
  const paths = {circle: 'M4 0A4 4 0 1 1-4 0A4 4 0 1 1 4 0', square: 'M-3.5-3.5h7v7h-7z', 'triangle-up': 'M0-4L4 3.5H-4z',
    diamond: 'M0-4.5L4 0 0 4.5-4 0z', cross: 'M-1.5-4h3v2.5H4v3H1.5V4h-3V1.5H-4v-3h2.5z', 'triangle-down': 'M0 4L4-3.5H-4z',
    'triangle-left': 'M-4 0L3.5-4V4z', 'triangle-right': 'M4 0L-3.5-4V4z'};
  const svg = document.createElementNS(space, 'svg');
  const line = document.createElementNS(space, 'line');
  const symbol = document.createElementNS(space, 'path');
  const set = (node, attributes) => Object.entries(attributes).forEach(([name, value]) => node.setAttribute(name, value));
  set(svg, {width: 30, height: 12, viewBox: '-15 -6 30 12', class: 'sample', 'aria-hidden': 'true'});
  set(line, {x1: -15, x2: 15, y1: 0, y2: 0, stroke: solverColour(data, solver), 'stroke-width': 2,
    'stroke-dasharray': solverDash(solver).join(' ')});
  set(symbol, {d: paths[solverShape(solver)], fill: solverColour(data, solver)});
  svg.append(line, symbol);
  return svg;
}

function conditioningToggles(redraw) {
  return element('div', {class: 'toggles sticky', id: 'toggles'}, data.settings.solvers.map(solver => element('button', {
    type: 'button', 'aria-pressed': 'true',
    onclick: event => {
      const shown = !state.visible.has(solver);
      if (shown) state.visible.add(solver);
      else state.visible.delete(solver);
      event.currentTarget.setAttribute('aria-pressed', String(shown));
      redraw();
    },
  }, sampleLine(solver), solver)));
}

function overviewTable() {
  const {solvers, kappas} = data.settings;
  const cell = (solver, kappa) => data.overview.find(entry => entry.solver === solver && entry.kappa === kappa);
  const rows = solvers.map(solver => {
    const all = kappas.map(kappa => cell(solver, kappa));
    const sum = key => all.reduce((total, entry) => total + entry[key], 0);
    const share = part => (sum('runs') === 0 ? '–' : formatPercent(part / sum('runs')));
    return element('tr', {}, element('td', {}, sampleLine(solver), ` ${solver}`),
      all.map(entry => element('td', {}, entry.runs === 0 ? '–' : formatPercent(entry.solved / entry.runs))),
      element('td', {}, share(sum('longer'))), element('td', sum('false') > 0 ? {class: 'best'} : {}, share(sum('false'))),
      element('td', {}, share(sum('unclaimed'))), element('td', {}, formatCount(sum('runs'))));
  });
  const head = ['solved at κ =', ...kappas.map(powerOfTen), 'longer', 'false claims', 'no claim', 'runs'];
  return element('div', {class: 'scroll'}, element('table', {},
    element('thead', {}, element('tr', {}, head.map(text => element('th', {}, text)))), element('tbody', {}, rows)));
}

function conditioningHeader() {
  const runs = data.overview.reduce((sum, cell) => sum + cell.runs, 0);
  const last = data.settings.kappas[data.settings.kappas.length - 1];
  const share = cell => (cell.runs === 0 ? 0 : cell.solved / cell.runs);
  const best = data.overview.filter(cell => cell.kappa === last).reduce((a, b) => (share(b) > share(a) ? b : a));
  const claims = data.overview.reduce((sum, cell) => sum + cell.solved + cell.longer + cell.false, 0);
  const wrong = data.overview.reduce((sum, cell) => sum + cell.false, 0);
  return element('header', {},
    element('h1', {}, 'Geodesic solvers and ill-conditioned Jacobians'),
    element('p', {class: 'soft'}, `${data.panels.length} maps in charts of condition number ${powerOfTen(data.settings.kappas[0])} to ` +
      `${powerOfTen(last)}, ${data.settings.solvers.length} solvers, ${formatCount(runs)} runs. ` +
      data.created.replace('T', ' ').replace('Z', ' UTC')),
    data.complete ? null : element('p', {class: 'warning'},
      'The study was interrupted. What follows is about the runs that were finished; the same command goes on with it.'),
    element('div', {class: 'facts'},
      fact(formatPercent(share(best)), `of ${best.runs} problems at κ = ${powerOfTen(last)} solved by ${best.solver}, the most of all`),
      fact(formatCount(wrong), `false claims among ${formatCount(claims)} runs that ended as converged`)),
    element('p', {}, 'Every geodesic is asked for again and again, in charts that differ only in how ill-conditioned the Jacobian is. ' +
      'Its length does not depend on the chart, so a solver that fails or claims another length has failed because of the chart.'));
}

const CONDITIONING_TERMS = [
  ['chart', 'A change of latent coordinates whose Jacobian has singular values spread evenly (in the logarithm) from 1 to 1/κ. Rotated: ' +
    'between two random rotations. Squeezed: along the latent axes. Sheared: pairs of coordinates (x + ay, y). The valley is not ' +
    'linear: regular far from its middle, of condition κ there, so that no linear change of chart repairs it.'],
  ['solved', 'The run ended as converged, and its curve is at most 0.1 % longer than the best length that any solver knows for the pair ' +
    'at any κ.'],
  ['longer', 'Converged, and a geodesic in base coordinates too, but longer than that: another local minimum.'],
  ['false claim', 'Converged, said the solver, and the certificate in the ill-conditioned chart did not refute it; but measured again in ' +
    'base coordinates the curve is no geodesic (to 0.1 %), or has another length.'],
  ['no claim', 'The run ended honestly without a geodesic: stalled, out of time, degenerate, and so on.'],
  ['bands', 'Shares: 95 % Wilson intervals. Cost: quartiles of all runs, solved or not, so that the time limit bounds it from above.'],
  ['limit of double precision', 'In a rotated chart latent coordinates of size κ cancel, so that the map itself is known only to about ' +
    '2·10⁻¹⁶ κ of its size. Towards κ = 10¹⁰ that is what a certificate resolves: no method can do better there.'],
];

function conditioningEnvironment() {
  const {libraries, ...rest} = data.environment;
  const {pairs, seed, time_limit: limit} = data.settings;
  const rows = [['command', data.command], ...Object.entries(rest).filter(([, value]) => value !== null).map(([k, v]) => [words(k), v]),
    ['libraries', Object.entries(libraries).map(([name, version]) => `${name} ${version}`).join(', ')],
    ['settings', `${pairs} pairs for each map (a quarter from 16 dimensions on), seed ${seed}, ${data.threads} at a time, ` +
      `time limit ${limit === null ? 'none' : `${limit} s`}`]];
  return element('dl', {}, rows.flatMap(([name, value]) =>
    [element('dt', {}, name), element('dd', {}, element('code', {}, String(value)))]));
}

const familyTitles = () => [...new Set(data.panels.map(panel => panel.title))];
const panelsOf = title => data.panels.filter(panel => panel.title === title);
const panelTitle = panel => `${panel.dimension} dimensions, ${panel.pairs} ${panel.pairs === 1 ? 'pair' : 'pairs'}`;

function drawConditioning() {
  const overview = [
    ['#overview-solved', {rows: shareRows(data.overview, 'solved'), yTitle: 'solved'}],
    ['#overview-false', {rows: shareRows(data.overview, 'false'), yTitle: 'falsely claimed'}],
    ['#overview-cost', {rows: costRows(data.overview, COSTS[state.cost]), yTitle: COSTS[state.cost].title, log: true}]];
  const drawn = overview.map(([selector, specification]) => {
    const node = document.querySelector(`${selector} .chart`);
    return draw(node, againstKappa({width: widthOf(node), height: 260, visible: state.visible, ...specification}));
  });
  data.panels.forEach((panel, i) => {
    const [solved, cost] = document.querySelectorAll(`#panel-${i} .chart`);
    const common = {width: widthOf(solved), height: 170, visible: state.visible};
    drawn.push(draw(solved, againstKappa({...common, title: panelTitle(panel), rows: shareRows(panel.cells, 'solved'), yTitle: 'solved'})));
    drawn.push(draw(cost, againstKappa({...common, rows: costRows(panel.cells, COSTS[state.cost]), yTitle: COSTS[state.cost].title, log: true})));
  });
  return Promise.all(drawn);
}

function costChoice() {
  return element('div', {class: 'choices', style: 'position:static;border:0;padding:0'},
    element('label', {}, 'cost in', element('select', {id: 'choose-cost', onchange: event => {
      state.cost = event.target.value;
      drawConditioning();
    }}, Object.keys(COSTS).map(key => element('option', {value: key}, COSTS[key].title)))));
}

function buildConditioning() {
  state.visible = new Set(data.settings.solvers);
  state.cost = 'seconds';
  const chart = (id, caption) => element('figure', {id}, element('figcaption', {}, element('b', {}, caption)), element('div', {class: 'chart'}));
  const figure = panel => element('figure', {id: `panel-${data.panels.indexOf(panel)}`}, element('div', {class: 'chart'}), element('div', {class: 'chart'}));
  page.append(
    conditioningHeader(),
    section('overview', 'All maps together', conditioningToggles(drawConditioning), costChoice(),
      element('div', {class: 'row'}, chart('overview-solved', 'Share solved'), chart('overview-false', 'Share falsely claimed'),
        chart('overview-cost', 'Cost of a run')),
      element('p', {class: 'small soft'}, 'Solvers are drawn a little beside one another where they coincide. Bands are 95 % intervals of ' +
        'shares and quartiles of cost.'),
      overviewTable()),
    section('panels', 'Each map', element('p', {class: 'soft'}, 'Above: the share of pairs solved. Below: the cost of a run.'),
      familyTitles().map(title => element('div', {class: 'family'}, element('h3', {}, title),
        element('div', {class: 'row'}, panelsOf(title).map(figure))))),
    section('terms', 'What the words mean', element('dl', {}, CONDITIONING_TERMS.flatMap(([term, text]) =>
      [element('dt', {}, term), element('dd', {}, text)]))),
    section('environment', 'Where this was measured', conditioningEnvironment()));
  return drawConditioning;
}
