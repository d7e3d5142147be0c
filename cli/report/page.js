'use strict';

const data = JSON.parse(document.getElementById('data').textContent);
const page = document.getElementById('page');
const state = {generator: 0, pair: 0, against: 'seconds', visible: new Set(data.kind === 'compare' ? data.settings.solvers : [])};

const currentGenerator = () => data.generators[state.generator];
const currentPair = () => currentGenerator().pairs[state.pair];

function section(id, title, ...content) {
  return element('section', {id}, element('h2', {}, title), ...content);
}

const counted = (count, thing) => `${count} ${thing}${count === 1 ? '' : 's'}`;

const fact = (value, text) => element('div', {class: 'fact'}, element('b', {}, value), element('span', {}, text));

function compareHeader() {
  const {generators, settings} = data;
  const runs = generators.flatMap(generator => generator.summary).reduce((sum, row) => sum + row.runs, 0);
  const facts = generators.map(generator => {
    const best = generator.summary.reduce((a, b) =>
      (b.solved_share > a.solved_share || (b.solved_share === a.solved_share && b.median_seconds < a.median_seconds) ? b : a));
    return fact(formatPercent(best.solved_share), `of ${best.runs} pairs on ${generator.name} solved by ${best.solver}`);
  });
  return element('header', {},
    element('h1', {}, 'Geodesic solvers compared'),
    element('p', {class: 'soft'}, `${counted(generators.length, 'generator')}, ${counted(settings.solvers.length, 'solver chain')}, ` +
      `${formatCount(runs)} certified curves. ${data.created.replace('T', ' ').replace('Z', ' UTC')}`),
    data.complete ? null : element('p', {class: 'warning'},
      'The comparison was interrupted. What follows is about the runs that were finished.'),
    element('div', {class: 'facts'}, facts));
}

function summaryTable(generator) {
  const head = ['solver', 'solved', 'median length', 'worst length', 'median time', 'median evaluations'];
  const fastest = Math.min(...generator.summary.filter(row => row.solved === Math.max(...generator.summary.map(r => r.solved)))
    .map(row => row.median_seconds ?? Infinity));
  const rows = generator.summary.map(row => element('tr', {},
    element('td', {}, dot(solverColour(data, row.solver)), row.solver),
    element('td', {}, element('span', {class: 'bar'}, element('i', {style: `width:${100 * row.solved_share}%`})),
      formatPercent(row.solved_share)),
    element('td', {}, formatRatio(row.median_ratio)),
    element('td', {}, formatRatio(row.worst_ratio)),
    element('td', row.median_seconds === fastest ? {class: 'best'} : {}, formatSeconds(row.median_seconds)),
    element('td', {}, formatCount(row.median_evaluations)),
    element('td', {class: 'words'}, Object.entries(row.terminations).map(([name, count]) => `${count} ${words(name)}`).join(', '))));
  const about = `${generator.latent_dimension} → ${generator.ambient_dimension ?? 'metric only'}, ${generator.all_pairs} pairs`;
  return element('div', {class: 'scroll'}, element('table', {'data-generator': generator.name},
    element('caption', {}, `${generator.name} `, element('span', {class: 'soft'}, about)),
    element('thead', {}, element('tr', {}, head.map(text => element('th', {}, text)), element('th', {class: 'words'}, 'terminations'))),
    element('tbody', {}, rows)));
}

function selector(id, label, options, onchange) {
  return element('label', {}, label, element('select', {id, onchange}, options.map((text, i) => element('option', {value: i}, text))));
}

const pairLabel = pair =>
  `${pair.name}${finite(pair.best) ? `, best length ${pair.best.toPrecision(4)}` : ''}`;

function choices() {
  return element('div', {class: 'choices'},
    selector('choose-generator', 'generator', data.generators.map(generator => generator.name), event => {
      state.generator = Number(event.target.value);
      state.pair = 0;
      fillPairs();
      drawPair();
    }),
    selector('choose-pair', 'pair', [], event => {
      state.pair = Number(event.target.value);
      drawPair();
    }));
}

function fillPairs() {
  document.getElementById('choose-pair').replaceChildren(
    ...currentGenerator().pairs.map((pair, i) => element('option', {value: i}, pairLabel(pair))));
}

function toggles() {
  const button = solver => element('button', {
    type: 'button', 'aria-pressed': 'true',
    onclick: event => {
      const shown = !state.visible.has(solver);
      if (shown) state.visible.add(solver);
      else state.visible.delete(solver);
      event.currentTarget.setAttribute('aria-pressed', String(shown));
      drawPair();
      drawProfiles();
    },
  }, dot(solverColour(data, solver)), solver);
  return element('div', {class: 'toggles', id: 'toggles'}, data.settings.solvers.map(button));
}

const widthOf = node => Math.max(260, Math.floor(node.getBoundingClientRect().width));

function drawMaps() {
  const generator = currentGenerator();
  const pair = currentPair();
  const note = document.getElementById('map-note');
  const map = pair && generator.maps[pair.map];
  document.getElementById('map-row').hidden = !map;
  if (!map) {
    note.textContent = `${generator.name} has no map: ${generator.latent_dimension === 1 ? 'its latent space is a line' : 'no pair was finished'}.`;
    return [];
  }
  note.textContent = generator.latent_dimension === 2
    ? 'Dots are the codes of known data. Curves that coincide share one line of alternating colours; the white dashes are the straight line.'
    : `A plane through the two ends and a third code, of ${generator.latent_dimension} dimensions; curves leave it and are drawn where they fall on it.`;
  const straight = pair.straight.points;
  const curves = pair.runs.filter(run => state.visible.has(run.solver) && run.points.length > 0)
    .map(run => ({points: run.points, colour: solverColour(data, run.solver)}));
  const ends = [straight[0], straight[straight.length - 1]];
  const axes = generator.latent_dimension === 2 ? ['z₁', 'z₂'] : ['u', 'v'];
  return MAPS.map(kind => {
    const node = document.querySelector(`#map-${kind.key} .chart`);
    return draw(node, mapSpecification(map, kind, widthOf(node), {codes: generator.codes, curves, straight, ends, axes}));
  });
}

function drawConvergence() {
  const node = document.querySelector('#convergence .chart');
  const pair = currentPair();
  if (!pair) return [];
  return [draw(node, convergenceSpecification(data, pair, state.visible, widthOf(node), state.against))];
}

function drawPair() {
  const pair = currentPair();
  if (pair) drawStrips(document.getElementById('strips-content'), data, currentGenerator(), pair, state.visible);
  return Promise.all([...drawMaps(), ...drawConvergence()]);
}

function drawProfiles() {
  return Promise.all(data.generators.map((generator, i) => {
    const node = document.querySelectorAll('.profile')[i];
    return draw(node, profileSpecification(data, generator, state.visible, widthOf(node)));
  }));
}

function drawTerminations() {
  return Promise.all(data.generators.map((generator, i) => {
    const node = document.querySelectorAll('.terminations')[i];
    return draw(node, terminationSpecification(generator, widthOf(node)));
  }));
}

function terminationLegend() {
  const met = new Set(data.generators.flatMap(generator => generator.summary.flatMap(row => Object.keys(row.terminations))));
  return element('p', {class: 'small legend'}, Object.keys(TERMINATIONS).filter(name => met.has(name)).map(name =>
    element('span', {}, dot(TERMINATIONS[name]), words(name))));
}

const TERMS = [
  ['solved', 'The run ended as converged, and its curve is at most 0.1 % longer than the best length known for that pair. The best ' +
    'known is the shortest that any chain here found or met: a shorter curve may exist that none of them found.'],
  ['converged', 'The solver said so and the library’s own measurements of the returned curve did not refute it: it is a geodesic ' +
    'and a local minimum of length. It need not be the shortest curve between its ends.'],
  ['stationary', 'A geodesic that is not a local minimum, or not certainly one: a saddle, such as a path over a summit.'],
  ['length', 'Refined by the library from the returned curve itself, never a solver’s own sum. In tables it is divided by the best ' +
    'length known for the pair: 1.0000 is the best.'],
  ['degenerate', 'The metric vanishes along a part of the curve, or does not see what the generator does there, so that a length is ' +
    'of limited meaning.'],
  ['max iterations, time limit, stalled', 'The solver ended before it had a geodesic. The curve is whatever it had.'],
  ['numerical failure', 'No usable curve, for the reason given in its message.'],
  ['time', 'Wall-clock seconds of a whole solve: the solver and the library’s certificate of its curve. Runs share the processor ' +
    'with those beside them.'],
  ['evaluations', 'Points at which the solver asked for the generator’s value, Jacobian, or second derivative, each counted as one.'],
  ['condition κ(J)', 'Largest over smallest singular value of the Jacobian. Where it is large, a step in one latent direction changes ' +
    'the output far more than in another. Grey: the Jacobian loses rank or there is no metric.'],
  ['magnification', '√det M, the volume in output space of a unit of latent volume. Geodesics go round where it is large.'],
];

function terms() {
  return element('dl', {}, TERMS.flatMap(([term, text]) => [element('dt', {}, term), element('dd', {}, text)]));
}

function environment() {
  const {libraries, ...rest} = data.environment;
  const rows = [['command', data.command], ...Object.entries(rest).filter(([, value]) => value !== null).map(([k, v]) => [words(k), v]),
    ['libraries', Object.entries(libraries).map(([name, version]) => `${name} ${version}`).join(', ')]];
  if (data.settings) {
    const {pairs, seed, threads, time_limit: limit} = data.settings;
    rows.push(['settings', `${pairs} pairs, seed ${seed}, ${threads} at a time, time limit ${limit === null ? 'none' : `${limit} s`}`]);
  }
  return element('dl', {}, rows.flatMap(([name, value]) =>
    [element('dt', {}, name), element('dd', {}, element('code', {}, String(value)))]));
}

const solverLegend = () => element('p', {class: 'small legend'}, data.settings.solvers.map(solver =>
  element('span', {}, dot(solverColour(data, solver)), solver)));

function againstSwitch() {
  const name = {seconds: 'time', iteration: 'iteration'};
  return element('div', {class: 'choices', style: 'position:static;border:0;padding:0'},
    element('label', {}, 'against', element('select', {id: 'choose-against', onchange: event => {
      state.against = event.target.value;
      drawConvergence();
    }}, Object.keys(name).map(key => element('option', {value: key}, name[key])))));
}

function buildCompare() {
  const charts = name => element('div', {class: 'row'}, data.generators.map(() => element('figure', {}, element('div', {class: `chart ${name}`}))));
  page.append(
    compareHeader(),
    section('summary', 'Summary', element('p', {class: 'soft'}, 'Lengths are relative to the best length known for each pair. ' +
      'Bold: the fastest of those that solve most.'), data.generators.map(summaryTable)),
    section('maps', 'Curves in latent space', choices(), toggles(), element('p', {class: 'soft', id: 'map-note'}),
      element('div', {class: 'row', id: 'map-row'}, MAPS.map(mapFigure))),
    section('strips', 'What lies along the curves', element('p', {class: 'soft'},
      'Eleven points at equal arc length from one end to the other, decoded.'), element('div', {id: 'strips-content'})),
    section('convergence', 'Convergence', element('p', {class: 'soft'}, 'How far the length of each solver’s own discrete curve is ' +
      'from the best length known, for the pair chosen above. A line levels off at the error of its discretisation, or when the ' +
      'solver stops at another geodesic.'), againstSwitch(), solverLegend(), element('div', {class: 'chart'})),
    section('profiles', 'Performance profile', element('p', {class: 'soft'}, 'The share of pairs that a chain solved within τ times ' +
      'the time of the fastest chain on that pair: the left edge shows how often it is the fastest, the right edge how many it ' +
      'solves at all (Dolan and Moré 2002, doi:10.1007/s101070100263).'), solverLegend(), charts('profile')),
    section('endings', 'How the runs ended', terminationLegend(), charts('terminations')),
    section('terms', 'What the words mean', terms()),
    section('environment', 'Where this was measured', environment()));
  fillPairs();
  return () => Promise.all([drawPair(), drawProfiles(), drawTerminations()]);
}

function quantileTable({title, rows, columns}) {
  return element('div', {class: 'scroll'}, element('table', {},
    element('caption', {}, title),
    element('thead', {}, element('tr', {}, element('th', {}, ''), columns.map(text => element('th', {}, text)))),
    element('tbody', {}, rows.map(([name, values]) => element('tr', {}, element('td', {}, name),
      values.map(value => element('td', {}, finite(value) ? value.toPrecision(4) : '–')))))));
}

function buildInspect() {
  page.append(
    element('header', {}, element('h1', {}, data.title), element('p', {class: 'soft'}, data.subtitle),
      data.findings.map(text => element('p', {class: 'warning'}, text))),
    section('maps', 'Maps', element('p', {class: 'soft', id: 'map-note'}, data.note),
      element('div', {class: 'row', id: 'map-row'}, data.map ? MAPS.map(mapFigure) : null)),
    section('quantiles', 'Quantiles', data.tables.map(quantileTable)),
    section('environment', 'Where this was measured', environment()));
  return () => Promise.all(!data.map ? [] : MAPS.map(kind => {
    const node = document.querySelector(`#map-${kind.key} .chart`);
    return draw(node, mapSpecification(data.map, kind, widthOf(node), {codes: data.codes, ends: data.points, axes: data.axes}));
  }));
}

const drawAll = {compare: buildCompare, inspect: buildInspect, conditioning: buildConditioning,
  jacobian: buildJacobian, uncertainty: buildUncertainty}[data.kind]();
let resizing = 0;
let drawnWidth = window.innerWidth;
window.addEventListener('resize', () => {
  if (window.innerWidth === drawnWidth) return;
  drawnWidth = window.innerWidth;
  clearTimeout(resizing);
  resizing = setTimeout(drawAll, 150);
});
drawAll().then(() => { document.body.dataset.ready = 'true'; });
