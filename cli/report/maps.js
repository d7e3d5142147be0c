'use strict';

const MAPS = [
  {key: 'magnification', scheme: 'viridis', title: 'log₁₀ √det M',
   caption: ['Magnification: ', 'how much area of image space a unit of latent area becomes.']},
  {key: 'condition', scheme: 'inferno', title: 'log₁₀ κ(J)',
   caption: ['Condition: ', 'how much more one latent direction changes the output than another.']},
];

// The range of colours: without the extremes, which would wash out the rest.
function colourDomain(values) {
  const low = quantile(values, 0.005);
  const high = quantile(values, 0.995);
  if (!finite(low)) return [0, 1];
  return high > low ? [low, high] : [low - 0.5, high + 0.5];
}

// The field as a picture (data URI), smooth between the grid points; where there is no value it is pale grey.
function paintField(values, grid, scheme, domain) {
  const colour = vega.scheme(scheme);
  const small = element('canvas', {width: grid, height: grid});
  const context = small.getContext('2d');
  values.forEach((value, i) => {
    const share = Math.min(1, Math.max(0, (value - domain[0]) / (domain[1] - domain[0])));
    context.fillStyle = finite(value) ? colour(share) : '#e3e6ea';
    context.fillRect(i % grid, grid - 1 - Math.floor(i / grid), 1, 1);
  });
  const size = 4 * grid;
  const large = element('canvas', {width: size, height: size});
  const target = large.getContext('2d');
  target.imageSmoothingEnabled = true;
  target.imageSmoothingQuality = 'high';
  target.drawImage(small, 0, 0, size, size);
  return large.toDataURL('image/png');
}

// Two curves nearer than this share of the map's side look the same.
const SAME_CURVE = 0.008;
const DASH = 9;

// Groups of curves that look the same; points are uniform in time on each.
function coinciding(curves, side) {
  const groups = [];
  for (const curve of curves) {
    const same = groups.find(([first]) => first.points.length === curve.points.length &&
      first.points.every(([x, y], i) => Math.hypot(x - curve.points[i][0], y - curve.points[i][1]) < SAME_CURVE * side));
    if (same) same.push(curve);
    else groups.push([curve]);
  }
  return groups;
}

// A curve is a line with a pale rim; those that coincide share it, in dashes of alternating colours.
function curveMarks(groups) {
  const line = (curve, stroke, width, dash, offset) => ({
    type: 'line', clip: true, from: {data: curve.data}, interactive: false,
    encode: {enter: {
      x: {scale: 'x', field: '0'}, y: {scale: 'y', field: '1'}, stroke: {value: stroke}, strokeWidth: {value: width},
      strokeDash: {value: dash}, strokeDashOffset: {value: offset}, strokeJoin: {value: 'round'},
    }},
  });
  return groups.flatMap(group => [
    line(group[0], '#ffffff', 6, [], 0),
    ...group.map((curve, i) => line(group[0], curve.colour, 3.4,
      group.length > 1 ? [DASH, DASH * (group.length - 1)] : [], DASH * (group.length - i))),
  ]);
}

const pointMarks = (name, encoding) => ({
  type: 'symbol', clip: true, from: {data: name}, interactive: false,
  encode: {enter: {x: {scale: 'x', field: '0'}, y: {scale: 'y', field: '1'}, ...encoding}},
});

// The border of the data's region as segments in latent coordinates, where the map knows of data.
function borderLines({x, y, grid, distance = []}) {
  const place = ([i, j]) => [x[0] + (x[1] - x[0]) * i / (grid - 1), y[0] + (y[1] - y[0]) * j / (grid - 1)];
  return distance.length === 0 ? [] : borderSegments(distance, grid).map(([from, to]) => [...place(from), ...place(to)]);
}

const borderMark = (colour, width) => ({
  type: 'rule', clip: true, from: {data: 'border'}, interactive: false,
  encode: {enter: {x: {scale: 'x', field: '0'}, y: {scale: 'y', field: '1'}, x2: {scale: 'x', field: '2'}, y2: {scale: 'y', field: '3'},
    stroke: {value: colour}, strokeWidth: {value: width}}},
});

// A map with codes, curves [{points, colour}], the straight line and end points on it.
function mapSpecification(map, kind, width, {codes = [], curves = [], straight = [], ends = [], axes = ['z₁', 'z₂']}) {
  const values = map[kind.key];
  const domain = colourDomain(values);
  const legend = 88;  // its title is wider than its numbers
  const side = Math.max(200, width - legend - 48);
  const named = curves.map((curve, i) => ({...curve, data: `curve${i}`}));
  const groups = coinciding(named, map.x[1] - map.x[0]);
  return {
    width: side, height: side, padding: {left: 4, top: 6, right: 4, bottom: 4}, autosize: {type: 'pad'},
    data: [
      {name: 'codes', values: codes},
      {name: 'ends', values: ends},
      {name: 'straight', values: straight},
      {name: 'border', values: borderLines(map)},
      ...named.map(curve => ({name: curve.data, values: curve.points})),
    ],
    scales: [
      {name: 'x', type: 'linear', domain: map.x, range: 'width', nice: false, zero: false},
      {name: 'y', type: 'linear', domain: map.y, range: 'height', nice: false, zero: false},
      {name: 'colour', type: 'linear', domain, range: {scheme: kind.scheme}, zero: false},
    ],
    axes: [
      {orient: 'bottom', scale: 'x', title: axes[0], tickCount: 6},
      {orient: 'left', scale: 'y', title: axes[1], tickCount: 6, titleAngle: 0, titleAlign: 'right'},
    ],
    legends: [{fill: 'colour', type: 'gradient', title: kind.title, gradientLength: side - 60, orient: 'right'}],
    marks: [
      {type: 'image', interactive: false, encode: {enter: {
        url: {value: paintField(values, map.grid, kind.scheme, domain)}, x: {value: 0}, y: {value: 0},
        width: {signal: 'width'}, height: {signal: 'height'}, aspect: {value: false},
      }}},
      pointMarks('codes', {size: {value: 5}, fill: {value: '#ffffff'}, fillOpacity: {value: 0.32}}),
      borderMark('#ffffff', 2.6), borderMark('#111111', 1.2),
      {type: 'line', clip: true, from: {data: 'straight'}, interactive: false, encode: {enter: {
        x: {scale: 'x', field: '0'}, y: {scale: 'y', field: '1'}, stroke: {value: '#ffffff'}, strokeWidth: {value: 1.6},
        strokeDash: {value: [5, 5]}}}},
      ...curveMarks(groups),
      pointMarks('ends', {size: {value: 70}, fill: {value: '#ffffff'}, stroke: {value: '#1c2430'}, strokeWidth: {value: 2}}),
    ],
  };
}

function mapFigure(kind) {
  return element('figure', {id: `map-${kind.key}`},
    element('figcaption', {}, element('b', {}, kind.caption[0]), kind.caption[1]),
    element('div', {class: 'chart'}));
}
