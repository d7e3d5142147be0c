'use strict';

const METRICS = {
  plain: ['Plain pullback', 'the mean alone: JᵀJ of the decoder'],
  rbf: ['Variance network', 'JμᵀJμ + JσᵀJσ, a precision of radial basis functions (Arvanitidis, Hansen, Hauberg 2018)'],
  ensemble: ['Ensemble', 'mean metric of decoders whose last layer was fitted anew'],
  gp: ['Gaussian process', 'E[J]ᵀE[J] + D Σ_J, conditioned on the codes (Tosi et al. 2014; Hauberg 2018)'],
  'gp-short': ['Gaussian process, short', 'the same with a length scale of 0.2 standard deviations: unknown as soon as it leaves the codes'],
};
const metricTitle = name => (METRICS[name] || [name])[0];
const METRIC_COLOURS = {plain: '#d55e00', rbf: '#0072b2', ensemble: '#cc79a7', gp: '#009e73', 'gp-short': '#e69f00'};
const uncertaintyShare = value => (finite(value) ? formatPercent(value) : '–');

function uncertaintyHeader() {
  const facts = data.models.map(model => {
    const before = model.metrics.find(metric => metric.name === 'plain').summary.mean_share;
    const others = model.metrics.filter(metric => metric.name !== 'plain');
    const best = others.reduce((a, b) => (b.summary.mean_share > a.summary.mean_share ? b : a), others[0]);
    return fact(`${uncertaintyShare(before)} → ${uncertaintyShare(best ? best.summary.mean_share : null)}`,
      `of a geodesic inside the data on ${model.name}: plain, and with ${best ? metricTitle(best.name).toLowerCase() : 'none'}`);
  });
  return element('header', {},
    element('h1', {}, 'Do geodesics keep to the data?'),
    element('p', {class: 'soft'}, 'A decoder’s mean says nothing of where it has seen data: its geodesics take short cuts through ' +
      'regions that decode to nothing real. A metric that includes what the model does not know makes such regions long. ' +
      data.created.replace('T', ' ').replace('Z', ' UTC')),
    data.complete ? null : element('p', {class: 'warning'}, 'The study was interrupted. What follows is about what was finished.'),
    element('div', {class: 'facts'}, facts));
}

function uncertaintyTable(model) {
  const head = ['metric', 'inside (mean)', 'inside (lowest)', 'leave the data', 'farthest', 'latent arc', 'converged', 'median time'];
  const rows = model.metrics.map(({name, summary: s}) => element('tr', {},
    element('td', {}, element('span', {class: 'dot', style: `background:${METRIC_COLOURS[name]}`}), metricTitle(name)),
    element('td', {}, element('span', {class: 'bar'}, element('i', {style: `width:${100 * s.mean_share}%`})), uncertaintyShare(s.mean_share)),
    element('td', {}, uncertaintyShare(s.lowest_share)), element('td', {}, `${s.leaving} of ${s.curves}`),
    element('td', {}, finite(s.farthest) ? s.farthest.toFixed(2) : '–'), element('td', {}, finite(s.arc) ? s.arc.toFixed(2) : '–'),
    element('td', {}, `${s.converged} of ${s.curves}`), element('td', {}, formatSeconds(s.seconds))));
  return element('div', {class: 'scroll'}, element('table', {}, element('thead', {}, element('tr', {},
    head.map(text => element('th', {}, text)))), element('tbody', {}, rows)));
}

// Each pair's share under each metric, ordered by the plain one: a dot for each, joined by a line.
function shareSpecification(model, width) {
  const plain = model.metrics[0].shares;
  const order = plain.map((share, i) => [finite(share) ? share : 2, i]).sort((a, b) => a[0] - b[0]).map(([, i]) => i);
  const rows = model.metrics.flatMap(({name, shares}) => order.map((pair, place) => ({name, place: place + 1, share: shares[pair]})))
    .filter(row => finite(row.share));
  const straight = order.map((pair, place) => ({place: place + 1, share: model.straight[pair]}));
  const names = model.metrics.map(metric => metric.name);
  return {
    width: width - 70, height: 230, padding: 4, autosize: {type: 'pad'},
    data: [{name: 'rows', values: rows}, {name: 'straight', values: straight}],
    scales: [
      {name: 'x', type: 'point', domain: order.map((_, place) => place + 1), range: 'width', padding: 0.5},
      {name: 'y', type: 'linear', domain: [0, 1.03], range: 'height'},
      {name: 'colour', type: 'ordinal', domain: names, range: names.map(name => METRIC_COLOURS[name])},
    ],
    axes: [
      {orient: 'bottom', scale: 'x', title: 'pair, ordered by the plain metric', labelOverlap: true},
      {orient: 'left', scale: 'y', title: 'share inside the data', format: '%', values: [0, 0.25, 0.5, 0.75, 1], grid: true},
    ],
    marks: [
      {type: 'symbol', from: {data: 'straight'}, encode: {enter: {x: {scale: 'x', field: 'place'}, y: {scale: 'y', field: 'share'},
        shape: {value: 'stroke'}, size: {value: 160}, stroke: {value: '#8a94a0'}, strokeWidth: {value: 2}}}},
      {type: 'symbol', from: {data: 'rows'}, encode: {enter: {x: {scale: 'x', field: 'place'}, y: {scale: 'y', field: 'share'},
        size: {value: 62}, fill: {scale: 'colour', field: 'name'}, fillOpacity: {value: 0.85}, stroke: {value: '#ffffff'},
        tooltip: {signal: "datum.name + ': ' + format(datum.share, '.1%')"}}}},
    ],
  };
}

function uncertaintyFigures(model, i) {
  return element('div', {class: 'row'}, model.metrics.map((metric, j) => element('figure', {id: `map-${i}-${j}`},
    element('figcaption', {}, element('b', {}, `${metricTitle(metric.name)}: `), `${(METRICS[metric.name] || ['', ''])[1]}. ` +
      `${uncertaintyShare(metric.summary.mean_share)} inside.`),
    element('div', {class: 'chart'}))));
}

const UNCERTAINTY_TERMS = [
  ['the data’s region', 'Where the density of the codes is at least that at 95 % of them, by the distance to the tenth nearest code in ' +
    'standard deviations of the codes. No metric is in it.'],
  ['inside', 'The share of a curve’s latent arc, in those deviations, that runs in the region. The grey tick is that of the straight line.'],
  ['farthest', 'Median over the curves of the largest distance from the data, the region’s edge being 1.'],
  ['latent arc', 'Median length in latent space, the straight line being 1.'],
  ['map', 'log₁₀ of the magnification √det M, with the codes and the geodesics of pairs on the rim of the data. Colours are of each map’s own range.'],
];

function drawUncertainty() {
  const drawn = [];
  data.models.forEach((model, i) => {
    model.metrics.forEach((metric, j) => {
      const node = document.querySelector(`#map-${i}-${j} .chart`);
      const curves = metric.curves.map(points => ({points, colour: METRIC_COLOURS[metric.name]}));
      drawn.push(draw(node, mapSpecification(metric.map, MAPS[0], widthOf(node),
        {codes: model.codes, curves, ends: model.ends, axes: model.axes})));
    });
    const node = document.querySelector(`#shares-${i} .chart`);
    drawn.push(draw(node, shareSpecification(model, widthOf(node))));
  });
  return Promise.all(drawn);
}

function uncertaintyEnvironment() {
  const {libraries, ...rest} = data.environment;
  const {solver, data: images, pairs, seed, threads, time_limit: limit} = data.settings;
  const rows = [['command', data.command], ...Object.entries(rest).filter(([, value]) => value !== null).map(([k, v]) => [words(k), v]),
    ['libraries', Object.entries(libraries).map(([name, version]) => `${name} ${version}`).join(', ')],
    ['settings', `${pairs} pairs, seed ${seed}, solver ${solver}, ${threads} at a time, time limit ${limit} s, ` +
      (images ? 'fitted to images' : 'fitted without images')]];
  return element('dl', {}, rows.flatMap(([name, value]) =>
    [element('dt', {}, name), element('dd', {}, element('code', {}, String(value)))]));
}

function buildUncertainty() {
  page.append(uncertaintyHeader(), ...data.models.map((model, i) => section(`model-${i}`, model.name,
    uncertaintyTable(model), uncertaintyFigures(model, i),
    element('figure', {id: `shares-${i}`}, element('figcaption', {}, element('b', {}, 'Pair by pair')), element('div', {class: 'chart'})),
    element('div', {class: 'small'}, model.metrics.filter(metric => metric.fitted.length > 0).map(metric =>
      element('p', {class: 'soft'}, element('b', {}, `${metricTitle(metric.name)}: `), metric.fitted.join('; ') + '.'))))),
    section('terms', 'What the words mean', element('dl', {}, UNCERTAINTY_TERMS.flatMap(([term, text]) =>
      [element('dt', {}, term), element('dd', {}, text)]))),
    section('environment', 'Where this was measured', uncertaintyEnvironment()));
  return drawUncertainty;
}
