'use strict';

const STRIP_GAP = 2;  // pixels of the original between two images

function decodeBytes(text) {
  const binary = atob(text);
  return Uint8Array.from(binary, character => character.charCodeAt(0));
}

// Grey images, one after the other in base64, as one row on a canvas.
function stripCanvas(text, [height, width]) {
  const bytes = decodeBytes(text);
  const count = bytes.length / (height * width);
  const canvas = element('canvas', {width: count * (width + STRIP_GAP) - STRIP_GAP, height});
  const context = canvas.getContext('2d');
  for (let i = 0; i < count; ++i) {
    const pixels = context.createImageData(width, height);
    for (let p = 0; p < height * width; ++p) {
      const grey = bytes[i * height * width + p];
      pixels.data.set([grey, grey, grey, 255], 4 * p);
    }
    context.putImageData(pixels, i * (width + STRIP_GAP), 0);
  }
  return canvas;
}

function stripRow(name, colour, details, strip, image) {
  return element('div', {class: 'strip'},
    element('div', {class: 'name'}, dot(colour), element('b', {}, name),
      details.map(text => element('div', {class: 'soft small'}, text))),
    strip ? stripCanvas(strip, image) : element('span', {class: 'soft small'}, 'no curve'));
}

// What stands beside a strip: the length, how it compares, and how the solve ended unless it converged.
function describeCurve({length, ratio, termination}) {
  const lines = [finite(length) ? `length ${length.toPrecision(6)}` : 'no finite length'];
  if (finite(ratio)) lines.push(`${ratio.toFixed(4)} × best known`);
  if (termination && termination !== 'converged') lines.push(words(termination));
  return lines;
}

// The straight line first, then a row for each solver that is shown.
function drawStrips(node, data, generator, pair, visible) {
  node.replaceChildren();
  if (!generator.image) {
    node.append(element('p', {class: 'soft'}, `${generator.name} does not make images, so there is nothing to decode.`));
    return;
  }
  node.append(stripRow('straight line', '#5b6675', describeCurve(pair.straight),
    pair.straight.strip, generator.image));
  for (const run of pair.runs) {
    if (!visible.has(run.solver)) continue;
    node.append(stripRow(run.solver, solverColour(data, run.solver), describeCurve(run), run.strip, generator.image));
  }
}
