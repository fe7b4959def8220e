/**
 * Script of the page of a run, fourth part: messages as arrows, what replicas do as dots, labels where there is room, what is
 * under the pointer, and the small drawing of the whole run. Text that a browser runs; see model-script.ts.
 */

export const ARROWS_SCRIPT = String.raw`
/** Beyond so many arrows in sight heads are left out, beyond so few names are written. */
var HEADS_MAX = 1500;
/** Beyond so many dots refusals are left out and the others are small. */
var DOTS_MAX = 1500;
/** Arrows of one pair of lanes that begin and end as near as this are drawn once in a crowd. */
var CROWD_PX = 2;
var NAMES_MAX = 90;
var HIT_PX = 9;
/** Length of an arrow that arrives nowhere. */
var STUB_PX = 22;

var VIEW_CHANGE = /\b(StartViewChange|DoViewChange|StartView|RequestEntry|Entry)\b/;
var TICK = /\b(Commit|RequestPrepare)\b/;

/** Asked for every arrow of every frame, found once. @type {WeakMap<PageEvent, string>} */
var inks = new WeakMap();

/** @param {PageEvent} event */
function inkOf(event) {
  var known = inks.get(event);
  if (known === undefined) {
    known = inkFrom(event);
    inks.set(event, known);
  }
  return known;
}

/** @param {PageEvent} event */
function inkFrom(event) {
  if (event.kind === 'drop') return event.why === 'message-mutation' ? 'mutated' : 'lost';
  if (event.kind === 'undelivered') return 'stray';
  if (VIEW_CHANGE.test(event.text)) return 'election';
  return TICK.test(event.text) ? 'tick' : 'plain';
}

/** @type {Record<string, { color: string, width: number, dash: number[], alpha: number }>} */
var INKS = {
  tick: { color: 'soft-ink', width: 1, dash: [], alpha: 0.4 },
  plain: { color: 'ink', width: 1.1, dash: [], alpha: 0.75 },
  election: { color: 'accent', width: 1.6, dash: [], alpha: 1 },
  stray: { color: 'soft-ink', width: 1, dash: [2, 3], alpha: 1 },
  lost: { color: 'bad', width: 1.2, dash: [5, 3], alpha: 1 },
  mutated: { color: 'disk', width: 1.6, dash: [1, 2], alpha: 1 },
};

/** Ends of an arrow on the edges of two bands. @param {ReturnType<typeof createView>} view @param {PageEvent} event */
function arrowOf(view, event) {
  var from = event.from === undefined ? 0 : event.from;
  var to = event.replica === undefined ? 0 : event.replica;
  var sign = from < to ? 1 : -1;
  var x1 = view.x(event.sentUs === undefined ? event.us : event.sentUs);
  var y1 = view.laneY(from) + (sign * BAND_PX) / 2;
  if (event.kind === 'undelivered') return { x1: x1, y1: y1, x2: x1 + STUB_PX / 2, y2: y1 + sign * STUB_PX };
  return { x1: x1, y1: y1, x2: view.x(event.us), y2: view.laneY(to) - (sign * BAND_PX) / 2 };
}

/** @param {Scene} scene @param {PageEvent[]} messages */
function drawArrows(scene, messages) {
  var context = scene.context;
  var view = scene.view;
  var withHeads = messages.length <= HEADS_MAX;
  /** @type {Record<string, { lines: Path2D, heads: Path2D, crosses: Path2D }>} */
  var paths = {};
  /** Arrows of one pair that would fall on each other are drawn once. @type {Record<string, number>} */
  var lastAt = {};
  messages.forEach(function (event) {
    var ink = inkOf(event);
    var arrow = arrowOf(view, event);
    if (!withHeads) {
      var key = ink + event.from + ' ' + event.replica;
      var at = Math.round(arrow.x1 / CROWD_PX) * 1e5 + Math.round(arrow.x2 / CROWD_PX);
      if (lastAt[key] === at) return;
      lastAt[key] = at;
    }
    var path = paths[ink] || (paths[ink] = { lines: new Path2D(), heads: new Path2D(), crosses: new Path2D() });
    var isLost = event.kind === 'drop';
    var share = isLost ? 0.93 : 1;
    var x2 = arrow.x1 + (arrow.x2 - arrow.x1) * share;
    var y2 = arrow.y1 + (arrow.y2 - arrow.y1) * share;
    path.lines.moveTo(arrow.x1, arrow.y1);
    path.lines.lineTo(x2, y2);
    if (isLost) {
      var size = withHeads ? 4 : 2;
      path.crosses.moveTo(x2 - size, y2 - size);
      path.crosses.lineTo(x2 + size, y2 + size);
      path.crosses.moveTo(x2 - size, y2 + size);
      path.crosses.lineTo(x2 + size, y2 - size);
      if (ink === 'mutated') path.crosses.rect((arrow.x1 + x2) / 2 - 3, (arrow.y1 + y2) / 2 - 3, 6, 6);
    } else if (withHeads && event.kind === 'deliver') {
      var angle = Math.atan2(y2 - arrow.y1, x2 - arrow.x1);
      path.heads.moveTo(x2, y2);
      path.heads.lineTo(x2 - 7 * Math.cos(angle - 0.4), y2 - 7 * Math.sin(angle - 0.4));
      path.heads.lineTo(x2 - 7 * Math.cos(angle + 0.4), y2 - 7 * Math.sin(angle + 0.4));
      path.heads.closePath();
    }
  });
  var crowd = Math.max(0.25, Math.min(1, 700 / Math.max(1, messages.length)));
  Object.keys(INKS).forEach(function (ink) {
    var path = paths[ink];
    var how = INKS[ink];
    if (path === undefined || how === undefined) return;
    context.strokeStyle = scene.colors[how.color] || '';
    context.fillStyle = scene.colors[how.color] || '';
    context.lineWidth = how.width;
    context.globalAlpha = how.alpha * (ink === 'tick' || ink === 'plain' ? crowd : Math.max(crowd, 0.5));
    context.setLineDash(withHeads ? how.dash : []);
    context.stroke(path.lines);
    context.setLineDash([]);
    context.fill(path.heads);
    context.globalAlpha = 1;
    context.lineWidth = 1.8;
    context.stroke(path.crosses);
  });
}

/** @param {Scene} scene @param {PageEvent[]} dots */
function drawDots(scene, dots) {
  var context = scene.context;
  var view = scene.view;
  var taken = new Path2D();
  var refused = new Path2D();
  var commits = new Path2D();
  var marks = new Path2D();
  /** @type {Record<string, number>} */
  var lastX = {};
  var isDense = dots.length > DOTS_MAX;
  dots.forEach(function (event) {
    if (event.replica === undefined) return;
    var shape = shapeOf(event);
    if (isDense && shape === 'refused') return;
    var x = view.x(event.us);
    var key = shape + event.replica;
    if (Math.abs((lastX[key] === undefined ? -9 : /** @type {number} */ (lastX[key])) - x) < 1) return;
    lastX[key] = x;
    var y = view.laneY(event.replica) + DOT_PX;
    if (shape === 'taken') {
      taken.moveTo(x + 3, y);
      taken.arc(x, y, isDense ? 1.5 : 3, 0, 7);
    } else if (shape === 'refused') {
      refused.moveTo(x + 2.5, y);
      refused.arc(x, y, 2.5, 0, 7);
    } else if (shape === 'commit') {
      commits.rect(x - 1, y + BAND_PX / 2 - DOT_PX, 2, 6);
    } else {
      var tip = shape === 'up' ? -1 : 1;
      marks.moveTo(x, y - DOT_PX + tip * 14);
      marks.lineTo(x - 6, y - DOT_PX + tip * 4);
      marks.lineTo(x + 6, y - DOT_PX + tip * 4);
      marks.closePath();
    }
  });
  context.fillStyle = scene.colors.good || '';
  context.fill(commits);
  context.lineWidth = 1;
  context.strokeStyle = scene.colors['soft-ink'] || '';
  context.fillStyle = scene.colors.paper || '';
  context.fill(refused);
  context.stroke(refused);
  context.fillStyle = scene.colors.ink || '';
  context.fill(taken);
  context.fillStyle = scene.colors.bad || '';
  context.fill(marks);
}

/** Names beside arrows and dots while there are few of them. @param {Scene} scene @param {PageEvent[]} inSight */
function drawNames(scene, inSight) {
  if (inSight.length > NAMES_MAX * 3) return;
  var context = scene.context;
  var view = scene.view;
  /** @type {number[][]} */
  var used = [];
  context.font = SMALL_FONT;
  context.textAlign = 'left';
  context.textBaseline = 'middle';
  inSight.forEach(function (event) {
    var shape = shapeOf(event);
    if (shape !== 'message' && shape !== 'taken' && shape !== 'down' && shape !== 'up') return;
    var text = event.text.replace(/^r\d( -> r\d)? /, '').replace(/ taken/, '').replace(/, (lost|never).*$/, '');
    var width = context.measureText(text).width + 4;
    var x = view.x(event.us) + 6;
    var y = view.laneY(event.replica || 0) - BAND_PX / 2 - 8;
    if (shape === 'message') {
      var arrow = arrowOf(view, event);
      // Beside a lane between, not on it.
      var share = Math.abs((event.from || 0) - (event.replica || 0)) > 1 ? 0.25 : 0.5;
      x = arrow.x1 + (arrow.x2 - arrow.x1) * share + 4;
      y = arrow.y1 + (arrow.y2 - arrow.y1) * share;
    }
    if (x < view.gutter || x + width > view.width) return;
    var isFree = used.every(function (box) {
      return x + width < /** @type {number} */ (box[0]) || x > /** @type {number} */ (box[2]) || Math.abs(y - /** @type {number} */ (box[1])) > 14;
    });
    if (!isFree) return;
    used.push([x, y, x + width]);
    context.fillStyle = scene.colors.paper || '';
    context.globalAlpha = 0.85;
    context.fillRect(x - 1, y - 7, width, 14);
    context.globalAlpha = 1;
    context.fillStyle = (shape === 'message' ? scene.colors[(INKS[inkOf(event)] || { color: 'ink' }).color] : scene.colors.ink) || '';
    context.fillText(text, x + 1, y);
  });
}

/** @param {Scene} scene */
function drawSelection(scene) {
  var event = scene.model.events[scene.selected];
  if (event === undefined) return;
  var context = scene.context;
  var view = scene.view;
  var x = view.x(event.us);
  context.strokeStyle = scene.colors.accent || '';
  context.globalAlpha = 0.5;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(x, AXIS_PX);
  context.lineTo(x, view.height);
  context.stroke();
  context.globalAlpha = 1;
  context.lineWidth = 3;
  if (shapeOf(event) === 'message') {
    var arrow = arrowOf(view, event);
    context.beginPath();
    context.moveTo(arrow.x1, arrow.y1);
    context.lineTo(arrow.x2, arrow.y2);
    context.stroke();
  }
  if (event.replica !== undefined) {
    context.beginPath();
    context.arc(x, view.laneY(event.replica) + DOT_PX, 8, 0, 7);
    context.stroke();
  }
}

/** Everything but what stands over it. @param {Scene} scene */
function drawScene(scene) {
  var context = scene.context;
  var view = scene.view;
  context.fillStyle = scene.colors.paper || '';
  context.fillRect(0, 0, view.width, view.height);
  /** @type {PageEvent[]} */
  var messages = [];
  /** @type {PageEvent[]} */
  var dots = [];
  scene.model.visible(view.from, view.until, function (event) {
    var shape = shapeOf(event);
    if (shape === 'message') messages.push(event);
    else if (shape !== 'client' && shape !== 'fault' && shape !== 'line') dots.push(event);
  });
  drawAxis(scene);
  drawShades(scene);
  drawArrows(scene, messages);
  drawBands(scene);
  drawDots(scene, dots);
  drawNames(scene, dots.concat(messages));
  drawFaultBars(scene);
  drawCalls(scene);
  drawVerticals(scene);
  drawSelection(scene);
  drawGutter(scene);
}

/** Events under a point, the nearest first. @param {Scene} scene @param {number} px @param {number} py */
function eventsAt(scene, px, py) {
  var view = scene.view;
  var data = scene.model.data;
  /** @type {{ index: number, far: number }[]} */
  var found = [];
  /** @param {number} index @param {number} far */
  var add = function (index, far) {
    if (far <= HIT_PX && scene.model.isShown(index)) found.push({ index: index, far: far });
  };
  data.faults.forEach(function (fault) {
    var y = view.faultsTop + Math.min(fault.row, view.faultRows - 1) * FAULT_ROW_PX;
    if (py >= y && py < y + FAULT_ROW_PX && px >= view.x(fault.fromUs) - 3 && px <= view.x(fault.untilUs) + 3) add(fault.event, 0);
  });
  data.calls.forEach(function (call) {
    var y = view.callsTop + (call.row % view.callRows) * view.callPx;
    if (py >= y - 1 && py < y + view.callPx && px >= view.x(call.fromUs) - 3 && px <= view.x(call.untilUs) + 3) add(call.event, 1);
  });
  var slack = ((view.until - view.from) / view.width) * HIT_PX;
  scene.model.visible(view.us(px) - slack, view.us(px) + slack, function (event, index) {
    var shape = shapeOf(event);
    if (shape === 'message') {
      var arrow = arrowOf(view, event);
      var dx = arrow.x2 - arrow.x1;
      var dy = arrow.y2 - arrow.y1;
      var along = Math.max(0, Math.min(1, ((px - arrow.x1) * dx + (py - arrow.y1) * dy) / (dx * dx + dy * dy || 1)));
      add(index, Math.hypot(arrow.x1 + along * dx - px, arrow.y1 + along * dy - py) + 1);
    } else if (shape === 'line') add(index, Math.abs(view.x(event.us) - px) + 2);
    else if (event.replica !== undefined && shape !== 'fault')
      add(index, Math.hypot(view.x(event.us) - px, view.laneY(event.replica) + DOT_PX - py) + (shape === 'taken' ? 0 : 0.5));
  });
  return found.sort(function (a, b) { return a.far - b.far || a.index - b.index; }).map(function (each) { return each.index; });
}

/** The whole run in a strip: views by lane, how much happens, and which part is seen above. @param {Scene} scene @param {CanvasRenderingContext2D} context @param {number} width @param {number} height */
function drawOverview(scene, context, width, height) {
  var view = scene.view;
  var data = scene.model.data;
  /** @param {number} us */
  var x = function (us) { return ((us - view.fullFrom) / (view.fullUntil - view.fullFrom)) * width; };
  context.fillStyle = scene.colors.soft || '';
  context.fillRect(0, 0, width, height);
  var lane = (height - 8) / data.replicaCount;
  data.spans.forEach(function (span) {
    context.fillStyle = (span.status === 'down' ? scene.colors.line : scene.colors['view-' + (span.view % VIEW_COLORS)]) || '';
    context.globalAlpha = span.status === 'view-change' ? 0.5 : 1;
    context.fillRect(x(span.fromUs), 4 + span.replica * lane, Math.max(1, x(span.untilUs) - x(span.fromUs)), lane - 1);
  });
  context.globalAlpha = 1;
  [{ us: data.healUs, color: scene.colors.good }, { us: data.failureEvent === undefined ? undefined : (scene.model.events[data.failureEvent] || { us: undefined }).us, color: scene.colors.bad }].forEach(function (line) {
    if (line.us === undefined) return;
    context.fillStyle = line.color || '';
    context.fillRect(x(line.us) - 1, 0, 2, height);
  });
  context.fillStyle = scene.colors.paper || '';
  context.globalAlpha = 0.65;
  context.fillRect(0, 0, x(view.from), height);
  context.fillRect(x(view.until), 0, width, height);
  context.globalAlpha = 1;
  context.strokeStyle = scene.colors.accent || '';
  context.lineWidth = 2;
  context.strokeRect(x(view.from) + 1, 1, Math.max(4, x(view.until) - x(view.from) - 2), height - 2);
}
`;
