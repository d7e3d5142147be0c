'use strict';

// Below this a relative difference of lengths is rounding.
const SMALLEST_DIFFERENCE = 1e-12;

const lineMarks = (source, encode) => ({
  type: 'group', from: {facet: {name: 'series', data: source, groupby: 'solver'}},
  marks: [{type: 'line', from: {data: 'series'}, encode: {enter: {
    strokeWidth: {value: 2.2}, stroke: {scale: 'colour', field: 'solver'}, ...encode}}}],
});

const colourScale = data => ({
  name: 'colour', type: 'ordinal', domain: data.settings.solvers,
  range: data.settings.solvers.map(solver => solverColour(data, solver)),
});

// How the discrete length of each solver comes down to the best length known.
function convergenceSpecification(data, pair, visible, width, against) {
  const rows = [];
  for (const run of pair.runs.filter(run => visible.has(run.solver))) {
    for (const [iteration, seconds, length] of run.trace) {
      if (!finite(length) || !finite(pair.best)) continue;
      rows.push({solver: run.solver, x: against === 'seconds' ? 1e3 * seconds : iteration,
        y: Math.max(SMALLEST_DIFFERENCE, Math.abs(length / pair.best - 1))});
    }
  }
  const exponents = rows.map(row => Math.log10(row.y));
  const lowest = Math.floor(Math.min(0, ...exponents));
  const highest = Math.ceil(Math.max(lowest + 1, ...exponents));
  const step = Math.ceil((highest - lowest) / 8);
  const decades = [];
  for (let k = lowest; k <= highest; k += step) decades.push(10 ** k);
  return {
    width: width - 76, height: 280, padding: 4, autosize: {type: 'pad'},
    data: [{name: 'rows', values: rows}],
    scales: [
      {name: 'x', type: 'linear', domain: {data: 'rows', field: 'x'}, range: 'width', nice: true, zero: true},
      {name: 'y', type: 'log', domain: [10 ** lowest, 10 ** highest], range: 'height'},
      colourScale(data),
    ],
    axes: [
      {orient: 'bottom', scale: 'x', title: against === 'seconds' ? 'milliseconds' : 'iteration', tickCount: 8, grid: true},
      {orient: 'left', scale: 'y', title: '| √(2E) / best length − 1 |', format: '.0e', values: decades, grid: true},
    ],
    marks: [
      lineMarks('rows', {x: {scale: 'x', field: 'x'}, y: {scale: 'y', field: 'y'}}),
      {type: 'symbol', from: {data: 'rows'}, clip: true, encode: {enter: {
        x: {scale: 'x', field: 'x'}, y: {scale: 'y', field: 'y'}, size: {value: 22}, fill: {scale: 'colour', field: 'solver'},
        tooltip: {signal: "datum.solver + ': ' + format(datum.y, '.2e')"}}}},
    ],
  };
}

// Dolan and Moré's profile: steps of 1/pairs at the sorted time ratios.
function profileSpecification(data, generator, visible, width) {
  const {pairs, solvers} = generator.profile;
  const shown = solvers.filter(entry => visible.has(entry.solver));
  const end = 1.1 * Math.max(10, ...shown.flatMap(entry => entry.ratios));
  const rows = [];
  for (const {solver, ratios} of shown) {
    rows.push({solver, tau: 1, share: ratios.filter(ratio => ratio <= 1).length / Math.max(1, pairs)});
    ratios.forEach((ratio, i) => rows.push({solver, tau: ratio, share: (i + 1) / pairs}));
    rows.push({solver, tau: end, share: ratios.length / Math.max(1, pairs)});
  }
  return {
    width: width - 62, height: 240, padding: 4, autosize: {type: 'pad'},
    title: generator.name,
    data: [{name: 'rows', values: rows}],
    scales: [
      {name: 'x', type: 'log', domain: [1, end], range: 'width', nice: false},
      {name: 'y', type: 'linear', domain: [0, 1.02], range: 'height', nice: false},
      colourScale(data),
    ],
    axes: [
      {orient: 'bottom', scale: 'x', title: 'times the fastest, τ', format: '~g', tickCount: 4, grid: true},
      {orient: 'left', scale: 'y', title: 'share of pairs solved', format: '%', values: [0, 0.25, 0.5, 0.75, 1], grid: true},
    ],
    marks: [lineMarks('rows', {x: {scale: 'x', field: 'tau'}, y: {scale: 'y', field: 'share'}, interpolate: {value: 'step-after'}})],
  };
}

// How the solves ended, as shares of all.
function terminationSpecification(generator, width) {
  const rows = [];
  for (const {solver, runs, terminations} of generator.summary) {
    let start = 0;
    for (const name of Object.keys(TERMINATIONS)) {
      const count = terminations[name] || 0;
      if (count === 0) continue;
      rows.push({solver, name: words(name), count, colour: TERMINATIONS[name], start: start / runs, end: (start + count) / runs});
      start += count;
    }
  }
  return {
    width: width - 130, height: 30 * generator.summary.length, padding: 4, autosize: {type: 'pad'},
    title: generator.name,
    data: [{name: 'rows', values: rows}],
    scales: [
      {name: 'x', type: 'linear', domain: [0, 1], range: 'width'},
      {name: 'y', type: 'band', domain: generator.summary.map(row => row.solver), range: 'height', padding: 0.22},
    ],
    axes: [
      {orient: 'bottom', scale: 'x', format: '%', tickCount: 5},
      {orient: 'left', scale: 'y', ticks: false, domain: false, labelFontSize: 12, labelColor: '#1c2430'},
    ],
    marks: [
      {type: 'rect', from: {data: 'rows'}, encode: {enter: {
        x: {scale: 'x', field: 'start'}, x2: {scale: 'x', field: 'end'}, y: {scale: 'y', field: 'solver'},
        height: {scale: 'y', band: 1}, fill: {field: 'colour'}, stroke: {value: '#ffffff'},
        tooltip: {signal: "datum.count + ' ' + datum.name"}}}},
    ],
  };
}
