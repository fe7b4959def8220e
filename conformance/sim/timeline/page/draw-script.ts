/**
 * Script of the page of a run, third part: what stands still on the drawing: time, faults, clients' calls, lanes, and the lines
 * of heal and failure. Text that a browser runs; see model-script.ts.
 */

export const DRAW_SCRIPT = `
var FONT = '12px system-ui, sans-serif';
var SMALL_FONT = '11px system-ui, sans-serif';
var VIEW_COLORS = 6;

/** The colours of the style sheet, read anew when the theme changes. */
function readColors() {
  var style = getComputedStyle(document.documentElement);
  /** @type {Record<string, string>} */
  var colors = {};
  ['ink', 'soft-ink', 'paper', 'line', 'soft', 'good', 'bad', 'accent', 'grid', 'network', 'disk', 'clock', 'process']
    .concat(Array.from({ length: VIEW_COLORS }, function (_, at) { return 'view-' + at; }))
    .forEach(function (name) { colors[name] = style.getPropertyValue('--' + name).trim(); });
  return colors;
}

/** @typedef {{ context: CanvasRenderingContext2D, view: ReturnType<typeof createView>, model: ReturnType<typeof createModel>, colors: Record<string, string>, selected: number }} Scene */

/** A pattern of slanted lines. @param {CanvasRenderingContext2D} context @param {string} color @param {number} gap */
function hatch(context, color, gap) {
  var tile = document.createElement('canvas');
  tile.width = gap;
  tile.height = gap;
  var brush = /** @type {CanvasRenderingContext2D} */ (tile.getContext('2d'));
  brush.strokeStyle = color;
  brush.lineWidth = 1.2;
  brush.beginPath();
  for (var at = -1; at <= 1; at++) {
    brush.moveTo(at * gap, gap);
    brush.lineTo((at + 1) * gap, 0);
  }
  brush.stroke();
  return context.createPattern(tile, 'repeat') || color;
}

/** @param {Scene} scene */
function drawAxis(scene) {
  var context = scene.context;
  var view = scene.view;
  var span = view.until - view.from;
  var wanted = span / Math.max(2, (view.width - view.gutter) / 130);
  var power = Math.pow(10, Math.floor(Math.log10(wanted)));
  var step = Math.max(1, [1, 2, 5, 10].map(function (times) { return times * power; }).find(function (each) { return each >= wanted; }) || wanted);
  context.font = SMALL_FONT;
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  for (var at = Math.ceil(view.from / step) * step; at <= view.until; at += step) {
    var x = Math.round(view.x(at)) + 0.5;
    if (x < view.gutter) continue;
    context.fillStyle = scene.colors.grid || '';
    context.fillRect(x - 0.5, AXIS_PX, 1, view.height);
    context.fillStyle = scene.colors['soft-ink'] || '';
    if (x + 4 + context.measureText(durationText(at)).width < view.width) context.fillText(durationText(Math.round(at)), x + 4, AXIS_PX / 2);
  }
  context.fillStyle = scene.colors.line || '';
  context.fillRect(view.gutter, AXIS_PX, view.width, 1);
}

/** Whether a link of the fault goes through the space below this lane. @param {PageData['faults'][number]} fault @param {number} above */
function goesThrough(fault, above) {
  return fault.links === 'all' || fault.links.some(function (link) {
    return Math.min(link[0], link[1]) <= above && Math.max(link[0], link[1]) > above;
  });
}

/** Shades what a fault meets: lanes, or the space between the lanes of a link. @param {Scene} scene */
function drawShades(scene) {
  var context = scene.context;
  var view = scene.view;
  scene.model.data.faults.forEach(function (fault) {
    if (fault.untilUs < view.from || fault.fromUs > view.until || fault.untilUs === fault.fromUs) return;
    var x = Math.max(view.gutter, view.x(fault.fromUs));
    var width = Math.max(1, Math.min(view.width, view.x(fault.untilUs)) - x);
    context.fillStyle = scene.colors[fault.family] || '';
    context.globalAlpha = 0.12;
    fault.replicas.forEach(function (replica) {
      context.fillRect(x, view.laneY(replica) - BAND_PX / 2 - 7, width, BAND_PX + 14);
    });
    // Each space between two lanes once, however many links of the fault go through it.
    for (var above = 0; above + 1 < scene.model.data.replicaCount; above++) {
      if (!goesThrough(fault, above)) continue;
      context.globalAlpha = fault.links === 'all' ? 0.05 : 0.1;
      context.fillRect(x, view.laneY(above) + BAND_PX / 2, width, view.lanePx - BAND_PX);
    }
    context.globalAlpha = 1;
  });
}

/** Text inside of a bar, cut where the bar ends. @param {Scene} scene @param {string} text @param {number} x @param {number} y @param {number} width */
function barText(scene, text, x, y, width) {
  if (width < 24) return;
  var context = scene.context;
  context.save();
  context.beginPath();
  context.rect(x, y - 10, width, 20);
  context.clip();
  context.fillText(text, x + 4, y);
  context.restore();
}

/** @param {Scene} scene */
function drawFaultBars(scene) {
  var context = scene.context;
  var view = scene.view;
  context.font = SMALL_FONT;
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  scene.model.data.faults.forEach(function (fault) {
    if (fault.untilUs < view.from || fault.fromUs > view.until || !scene.model.isShown(fault.event)) return;
    var row = Math.min(fault.row, view.faultRows - 1);
    var y = view.faultsTop + row * FAULT_ROW_PX;
    var x = Math.max(view.gutter, view.x(fault.fromUs));
    var width = Math.max(3, Math.min(view.width, view.x(fault.untilUs)) - x);
    var isSelected = fault.event === scene.selected;
    context.fillStyle = scene.colors[fault.family] || '';
    context.globalAlpha = isSelected ? 0.5 : 0.22;
    context.fillRect(x, y, width, FAULT_ROW_PX - 2);
    context.globalAlpha = 1;
    context.fillRect(x, y, 2, FAULT_ROW_PX - 2);
    context.fillStyle = scene.colors.ink || '';
    barText(scene, fault.text, x, y + FAULT_ROW_PX / 2 - 0.5, width);
  });
}

/** @param {Scene} scene */
function drawCalls(scene) {
  var context = scene.context;
  var view = scene.view;
  scene.model.data.calls.forEach(function (call) {
    if (call.untilUs < view.from || call.fromUs > view.until || !scene.model.isShown(call.event)) return;
    var row = call.row % view.callRows;
    var y = view.callsTop + row * view.callPx;
    var x = Math.max(view.gutter, view.x(call.fromUs));
    var width = Math.max(1.5, Math.min(view.width, view.x(call.untilUs)) - x);
    var isApplied = /^applied/.test(call.outcome);
    context.fillStyle = (call.event === scene.selected ? scene.colors.accent : isApplied ? scene.colors.good : call.outcome === '' ? scene.colors.bad : scene.colors['soft-ink']) || '';
    context.globalAlpha = call.event === scene.selected ? 1 : call.outcome === '' ? 0.4 : 0.75;
    context.fillRect(x, y, width, Math.max(1.5, view.callPx - 1.5));
    context.globalAlpha = 1;
  });
}

/** Bands in the colour of the view; a view change has a hatched band, time down an empty one with wide hatching. @param {Scene} scene */
function drawBands(scene) {
  var context = scene.context;
  var view = scene.view;
  var changing = hatch(context, scene.colors.paper || '', 6);
  var down = hatch(context, scene.colors['soft-ink'] || '', 9);
  context.font = SMALL_FONT;
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  scene.model.data.spans.forEach(function (span) {
    if (span.untilUs < view.from || span.fromUs > view.until) return;
    var y = view.laneY(span.replica) - BAND_PX / 2;
    var x = Math.max(view.gutter, view.x(span.fromUs));
    var width = Math.min(view.width, view.x(span.untilUs)) - x;
    if (width <= 0) return;
    var isPrimary = span.status === 'normal' && span.view % scene.model.data.replicaCount === span.replica;
    if (span.status === 'down' || span.status === 'halted') {
      context.fillStyle = scene.colors.soft || '';
      context.fillRect(x, y, width, BAND_PX);
      context.fillStyle = down;
      context.fillRect(x, y, width, BAND_PX);
    } else {
      context.fillStyle = scene.colors['view-' + (span.view % VIEW_COLORS)] || '';
      context.fillRect(x, y, width, BAND_PX);
      if (span.status !== 'normal') {
        context.fillStyle = changing;
        context.fillRect(x, y, width, BAND_PX);
      }
    }
    context.fillStyle = scene.colors.ink || '';
    if (isPrimary) {
      context.fillRect(x, y - 1, width, 2);
      context.fillRect(x, y + BAND_PX - 1, width, 2);
    }
    if (width > 2) context.fillRect(x, y, 1, BAND_PX);
    var name = span.status === 'down' || span.status === 'halted' ? span.status : 'view ' + span.view + (isPrimary ? ' primary' : span.status === 'normal' ? '' : ' ' + span.status);
    var shortName = span.status === 'down' ? '' : String(span.view);
    var text = width > context.measureText(name).width + 12 ? name : shortName;
    if (text === '' || width < context.measureText(text).width + 6) return;
    if (span.status !== 'normal') {
      context.fillStyle = scene.colors.paper || '';
      context.globalAlpha = 0.8;
      context.fillRect(x + 2, y + 2, context.measureText(text).width + 5, 13);
      context.globalAlpha = 1;
      context.fillStyle = scene.colors.ink || '';
    }
    context.fillText(text, x + 4, y + 9);
  });
}

/** @param {Scene} scene */
function drawVerticals(scene) {
  var context = scene.context;
  var view = scene.view;
  var data = scene.model.data;
  var failure = data.failureEvent === undefined ? undefined : scene.model.events[data.failureEvent];
  var lines = [
    { us: data.healUs, text: 'heal', color: scene.colors.good, dash: [6, 4] },
    { us: failure === undefined ? undefined : failure.us, text: 'failure', color: scene.colors.bad, dash: [] },
  ];
  lines.forEach(function (line, at) {
    if (line.us === undefined || line.us < view.from || line.us > view.until) return;
    var x = Math.round(view.x(line.us)) + 0.5;
    context.strokeStyle = line.color || '';
    context.lineWidth = 2;
    context.setLineDash(line.dash);
    context.beginPath();
    context.moveTo(x, AXIS_PX);
    context.lineTo(x, view.height);
    context.stroke();
    context.setLineDash([]);
    context.font = 'bold ' + SMALL_FONT;
    context.textBaseline = 'middle';
    var width = context.measureText(line.text).width + 8;
    var left = x + width > view.width ? x - width : x;
    context.fillStyle = line.color || '';
    var bottom = view.height - (at === 0 ? 18 : 0);
    context.fillRect(left, bottom - 18, width, 17);
    context.fillStyle = scene.colors.paper || '';
    context.textAlign = 'left';
    context.fillText(line.text, left + 4, bottom - 9);
  });
}

/** The names of the lanes, over everything that passes below them. @param {Scene} scene */
function drawGutter(scene) {
  var context = scene.context;
  var view = scene.view;
  context.fillStyle = scene.colors.paper || '';
  context.fillRect(0, 0, view.gutter, view.height);
  context.fillStyle = scene.colors.line || '';
  context.fillRect(view.gutter - 1, 0, 1, view.height);
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  context.font = SMALL_FONT;
  context.fillStyle = scene.colors['soft-ink'] || '';
  var right = view.gutter - 8;
  context.fillText('time', right, AXIS_PX / 2);
  context.fillText('faults', right, view.faultsTop + FAULT_ROW_PX / 2);
  context.fillText(view.gutter < 60 ? 'calls' : 'clients', right, view.callsTop + 4);
  context.font = 'bold ' + FONT;
  context.fillStyle = scene.colors.ink || '';
  for (var replica = 0; replica < scene.model.data.replicaCount; replica++) context.fillText('r' + replica, right, view.laneY(replica));
}
`;
