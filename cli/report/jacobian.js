'use strict';

const KIND_COLOURS = {vae: '#0072b2', dae: '#009e73', gan: '#d55e00', wgan: '#e69f00'};
const OTHER_COLOUR = '#7a5195';
const kindColour = kind => KIND_COLOURS[kind] ?? OTHER_COLOUR;

// What as_small_json() of cli/maps_json.h made of a field; null where it was not finite.
function decodeField({low, high, bytes}) {
  return Array.from(decodeBytes(bytes), byte => (byte === 0 ? null : low + (high - low) * (byte - 1) / 254));
}

// Line segments of the border of the data's region, where the field is 0, in grid coordinates (marching squares).
function borderSegments(values, grid) {
  const at = (i, j) => values[j * grid + i] ?? Infinity;
  const segments = [];
  for (let j = 0; j + 1 < grid; ++j) {
    for (let i = 0; i + 1 < grid; ++i) {
      const corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]];
      const crossings = [];
      corners.forEach(([x, y], k) => {
        const [u, v] = corners[(k + 1) % 4];
        const [a, b] = [at(x, y), at(u, v)];
        if ((a <= 0) === (b <= 0)) return;
        const share = Number.isFinite(a) && Number.isFinite(b) ? a / (a - b) : 0.5;
        crossings.push([x + share * (u - x), y + share * (v - y)]);
      });
      for (let k = 0; k + 1 < crossings.length; k += 2) segments.push([crossings[k], crossings[k + 1]]);
    }
  }
  return segments;
}

// A small map on a canvas: the field, the codes in white, the border of the data's region in black on white.
function smallMap(model, kind, domain, side) {
  const {grid} = model.map;
  const canvas = element('canvas', {width: 2 * side, height: 2 * side, style: `width:${side}px;height:${side}px`, role: 'img',
    'aria-label': `${kind.title} of ${model.label}`});
  const context = canvas.getContext('2d');
  const image = new Image();
  const place = ([x, y]) => [(x + 0.5) / grid * canvas.width, (1 - (y + 0.5) / grid) * canvas.height];
  const segments = borderSegments(decodeField(model.map.distance), grid);
  image.onload = () => {
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    const codes = decodeBytes(model.codes);
    context.fillStyle = 'rgba(255, 255, 255, 0.55)';
    for (let i = 0; i + 1 < codes.length; i += 2) {
      context.fillRect(codes[i] / 255 * canvas.width - 1, (1 - codes[i + 1] / 255) * canvas.height - 1, 2.4, 2.4);
    }
    for (const [colour, width] of [['#ffffff', 4], ['#111111', 1.8]]) {
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.beginPath();
      segments.forEach(([from, to]) => { context.moveTo(...place(from)); context.lineTo(...place(to)); });
      context.stroke();
    }
  };
  image.src = paintField(decodeField(model.map[kind.key]), grid, kind.scheme, domain);
  return canvas;
}

function colourBar(kind, [low, high]) {
  const colour = vega.scheme(kind.scheme);
  const stops = Array.from({length: 9}, (_, i) => colour(i / 8)).join(', ');
  return element('p', {class: 'small soft'}, `${kind.title}  ${low.toFixed(1)} `,
    element('span', {style: `display:inline-block;width:180px;height:11px;vertical-align:-1px;background:linear-gradient(90deg, ${stops})`}),
    ` ${high.toFixed(1)}`);
}

function jacobianMaps() {
  const pictured = data.models.filter(model => model.map);
  if (pictured.length === 0) return [];
  const domains = MAPS.map(kind => {
    const all = pictured.flatMap(model => [model.map[kind.key].low, model.map[kind.key].high]);
    return kind.key === 'condition' ? [0, Math.min(3, Math.max(1, ...all))] : [Math.min(...all), Math.max(...all)];
  });
  const card = model => element('figure', {class: 'map-card'}, element('figcaption', {}, dot(kindColour(model.kind)), element('b', {}, model.label)),
    element('div', {style: 'display:flex;gap:6px'}, MAPS.map((kind, k) => smallMap(model, kind, domains[k], 150))),
    element('p', {class: 'small soft', style: 'margin:2px 0 0'},
      `from ${model.map.x[0].toPrecision(2)} to ${model.map.x[1].toPrecision(2)}` +
      (model.latent_dimension > 2 ? ', the codes’ plane of largest variance' : '')));
  return [section('maps', 'Maps',
    element('p', {}, 'Left: magnification. Right: condition number. White dots are codes of the data, the line is the border of their region. ' +
      'One scale of colours for all; the first model of each label.'),
    MAPS.map((kind, k) => colourBar(kind, domains[k])),
    element('div', {style: 'display:flex;flex-wrap:wrap;gap:18px 26px'}, pictured.map(card)))];
}

const cellText = ({median, infinite}) => (finite(median) ? String(Number(median.toPrecision(3))) : infinite ? '∞' : '–');

function cellRange({low, high, infinite}, models) {
  if (models < 2 || !finite(low) || low === high) return '';
  return `${Number(low.toPrecision(2))}–${infinite ? '∞' : Number(high.toPrecision(2))}`;
}

function jacobianTable() {
  const kindOf = label => data.models.find(model => model.label === label).kind;
  const collapsed = data.groups.some(({cells}) => cells.collapsed.high > 0);
  const shown = data.columns.filter(([key]) => (collapsed || key !== 'kept_kappa_inside') &&
    data.groups.some(({cells}) => finite(cells[key].median) || cells[key].infinite));
  const rows = data.groups.map(group => element('tr', {}, element('td', {}, dot(kindColour(kindOf(group.label))), group.label),
    element('td', {}, String(group.models)),
    shown.map(([key]) => element('td', {}, cellText(group.cells[key]),
      element('div', {class: 'soft', style: 'font-size:0.78rem'}, cellRange(group.cells[key], group.models))))));
  return element('div', {class: 'scroll'}, element('table', {class: 'dense'},
    element('thead', {}, element('tr', {}, element('th', {}, 'model'), element('th', {}, 'models'), shown.map(([, title]) => element('th', {}, title)))),
    element('tbody', {}, rows)));
}

// Dots for inside (filled) and around (hollow), with the range over a label's models, on a logarithmic axis.
function insideOutside(keys, title, width) {
  const kindOf = label => data.models.find(model => model.label === label).kind;
  const values = data.groups.flatMap(({label, cells}) => keys.map((key, k) => ({...cells[key], label, where: k === 0 ? 'in' : 'out',
    colour: kindColour(kindOf(label)), offset: k === 0 ? -3 : 3}))).filter(({median}) => finite(median) && median > 0)
    .map(row => ({...row, low: row.low > 0 ? row.low : row.median, high: finite(row.high) ? row.high : row.median}));
  const shape = {fill: {signal: "datum.where === 'in' ? datum.colour : '#ffffff'"}, stroke: {field: 'colour'}};
  return {
    width: Math.max(120, width - 190), height: 20 * data.groups.length, padding: 4, autosize: {type: 'pad'},
    data: [{name: 'rows', values}],
    scales: [
      {name: 'x', type: 'log', domain: {data: 'rows', fields: ['low', 'high']}, range: 'width', nice: true},
      {name: 'y', type: 'band', domain: data.groups.map(({label}) => label), range: 'height'},
    ],
    axes: [{orient: 'bottom', scale: 'x', title, grid: true, tickCount: 5, format: '~g'},
      {orient: 'left', scale: 'y', labelLimit: 180, ticks: false}],
    marks: [
      {type: 'rule', from: {data: 'rows'}, encode: {enter: {x: {scale: 'x', field: 'low'}, x2: {scale: 'x', field: 'high'},
        y: {scale: 'y', field: 'label', band: 0.5, offset: {field: 'offset'}}, stroke: {field: 'colour'}, strokeOpacity: {value: 0.5}}}},
      {type: 'symbol', from: {data: 'rows'}, encode: {enter: {x: {scale: 'x', field: 'median'},
        y: {scale: 'y', field: 'label', band: 0.5, offset: {field: 'offset'}}, size: {value: 38}, strokeWidth: {value: 1.5}, ...shape,
        tooltip: {signal: "datum.label + ', ' + datum.where + ': ' + format(datum.median, '.3~g') + ' [' + format(datum.low, '.3~g') + ', ' + format(datum.high, '.3~g') + ']'"}}}},
    ],
  };
}

const JACOBIAN_TERMS = [
  ['in, out', 'Over points of the data’s region, and over points outside of it up to 3 standard deviations from a datum. The region holds 95 % of ' +
    'the data: the distance to the 10th nearest datum is at most that of 95 % of the data themselves. For a VAE the data are samples of the ' +
    'aggregate posterior, so that a collapsed coordinate is as wide as its posterior.'],
  ['smoothness', 'How much log det M changes per standard deviation of the data, in the median (and the 95 % quantile) over the points; small is smooth. ' +
    'It has no units and is the same in every linear chart of latent space. Steps are a tenth of a deviation, so that kinks count.'],
  ['κ', 'Condition number of the Jacobian in latent units. Kept: over the coordinates that are not collapsed. Scaled: kept, with steps in deviations of the data.'],
  ['collapsed', 'Coordinates along which a deviation moves the output less than a hundredth of what the strongest does.'],
  ['volume out/in', 'log₁₀ of the median √det M around the data over that at them: below 0 distances shrink away from the data.'],
  ['singular', 'Share of points around the data at which the Jacobian has no numerical rank or no value.'],
  ['quality', 'What the trainer wrote, lower is better: for autoencoders the squared error of held-out images, for GANs their squared distance to the nearest ' +
    'of 2,000 samples. The two do not compare.'],
  ['spread', 'Small numbers are the least and the largest among a label’s models (seeds); the large one is their median.'],
  ['path inside, farthest', 'Geodesics between codes, the shortest that a solver found: the share of their latent arc in the data’s region, and the largest ' +
    'distance from the data, in deviations.'],
  ['solved', 'Converged, and within 0.1 % of the best length known for the pair. Evaluations: median of a run, in points.'],
];

function jacobianEnvironment() {
  const {libraries, ...rest} = data.environment;
  const {points, pairs, seed, time_limit: limit} = data.settings;
  const rows = [['command', data.command], ...Object.entries(rest).filter(([, value]) => value !== null).map(([k, v]) => [words(k), v]),
    ['libraries', Object.entries(libraries).map(([name, version]) => `${name} ${version}`).join(', ')],
    ['settings', `${points} points inside and as many around, ${pairs} pairs, seed ${seed}, time limit ${limit === null ? 'none' : `${limit} s`}`]];
  return element('dl', {}, rows.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, element('code', {}, String(value)))]));
}

function buildJacobian() {
  const chart = (id, caption, text) => element('figure', {id}, element('figcaption', {}, element('b', {}, caption), text), element('div', {class: 'chart'}));
  const charts = [['#smoothness', ['variation_inside', 'variation_outside'], 'change of log det M per deviation'],
    ['#condition', ['kappa_inside', 'kappa_outside'], 'κ(J), median']];
  page.append(
    element('header', {}, element('h1', {}, 'Jacobians of generative models'),
      element('p', {class: 'soft'}, `${counted(data.models.length, 'model')} under ${counted(data.groups.length, 'label')}. ` +
        data.created.replace('T', ' ').replace('Z', ' UTC')),
      data.complete ? null : element('p', {class: 'warning'}, 'The study was interrupted. What follows is about the models that were finished.')),
    section('overview', 'Smoothness and condition',
      element('p', {}, 'Filled: at the data. Hollow: around them. Lines: from the least to the largest of a label’s models.'),
      element('div', {class: 'row'}, chart('smoothness', 'Smoothness: ', 'to the left is smooth.'), chart('condition', 'Condition: ', 'to the left is well conditioned.'))),
    section('table', 'The table', jacobianTable()),
    ...jacobianMaps(),
    section('terms', 'What the words mean', element('dl', {}, JACOBIAN_TERMS.flatMap(([term, text]) => [element('dt', {}, term), element('dd', {}, text)]))),
    section('environment', 'Where this was measured', jacobianEnvironment()));
  return () => Promise.all(charts.map(([selector, keys, title]) => {
    const node = document.querySelector(`${selector} .chart`);
    return draw(node, insideOutside(keys, title, widthOf(node)));
  }));
}
