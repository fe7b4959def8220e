/**
 * Script of the page of a run, last part: reads the data, joins drawing, panel and table, and follows mouse, wheel, touch and
 * keys. Text that a browser runs; see model-script.ts.
 */

export const START_SCRIPT = String.raw`
/** Share of the width that an arrow key moves, and how much one step of zoom shows less. */
var PAN_SHARE = 0.15;
var ZOOM_STEP = 0.6;
var TAP_PX_MAX = 6;
var THEMES = ['auto', 'light', 'dark'];

/** @param {PageData} data */
function start(data) {
  var model = createModel(data);
  var view = createView(model);
  var stage = byId('stage');
  var canvas = /** @type {HTMLCanvasElement} */ (byId('lanes'));
  var strip = /** @type {HTMLCanvasElement} */ (byId('strip'));
  /** @type {Scene} */
  var scene = {
    context: /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d')),
    view: view,
    model: model,
    colors: readColors(),
    selected: -1,
  };
  var stripContext = /** @type {CanvasRenderingContext2D} */ (strip.getContext('2d'));
  var isAsked = false;
  var table = createTable(model, function (index) { select(index, true); });

  /** @param {HTMLCanvasElement} surface @param {CanvasRenderingContext2D} context */
  function fit(surface, context) {
    var ratio = window.devicePixelRatio || 1;
    var width = surface.clientWidth;
    var height = surface.clientHeight;
    if (surface.width !== Math.round(width * ratio) || surface.height !== Math.round(height * ratio)) {
      surface.width = Math.round(width * ratio);
      surface.height = Math.round(height * ratio);
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    return { width: width, height: height };
  }

  function paint() {
    isAsked = false;
    if (byId('drawing').hidden) return;
    var size = fit(canvas, scene.context);
    view.resize(size.width, size.height);
    drawScene(scene);
    var small = fit(strip, stripContext);
    drawOverview(scene, stripContext, small.width, small.height);
    byId('seen').textContent = timeText(Math.max(0, Math.round(view.from))) + ' to ' + timeText(Math.round(view.until));
  }

  /** Draws once before the next frame, however often it is asked for. */
  function draw() {
    if (isAsked) return;
    isAsked = true;
    requestAnimationFrame(paint);
  }

  /** @param {number | undefined} index @param {boolean} moves */
  function select(index, moves) {
    var event = index === undefined ? undefined : model.events[index];
    if (index === undefined || event === undefined) return;
    scene.selected = index;
    byId('hint').hidden = true;
    if (moves) view.show(event.sentUs === undefined ? event.us : event.sentUs, event.us);
    fillPanel(model, index, function (other) { select(other, true); });
    if (!byId('table').hidden) {
      table.turnTo(index);
      table.draw(index);
    }
    draw();
  }

  /** @param {1 | -1} direction */
  function step(direction) {
    if (scene.selected < 0) {
      // Nothing is selected yet: the first event in sight.
      var from = direction === 1 ? view.from : view.until;
      var at = model.events.findIndex(function (event) { return event.us >= from; });
      select(at < 0 ? model.next(model.events.length, -1) : model.next(at - direction, direction), true);
    } else select(model.next(scene.selected, direction), true);
  }

  /** The event nearest in time on the lane above or below. @param {1 | -1} direction */
  function changeLane(direction) {
    var event = model.events[scene.selected];
    var lane = event === undefined || event.replica === undefined ? (direction === 1 ? 0 : data.replicaCount - 1) : event.replica + direction;
    if (lane < 0 || lane >= data.replicaCount) return;
    var us = event === undefined ? (view.from + view.until) / 2 : event.us;
    var best = -1;
    var least = Infinity;
    model.events.forEach(function (other, index) {
      if (other.replica !== lane || !model.isShown(index) || Math.abs(other.us - us) >= least) return;
      best = index;
      least = Math.abs(other.us - us);
    });
    if (best >= 0) select(best, true);
  }

  function toFailure() {
    var at = data.failureEvent;
    var event = at === undefined ? undefined : model.events[at];
    if (at === undefined || event === undefined) return;
    var span = Math.min(view.until - view.from, Math.max(2000, (data.endUs - data.startUs) / 20));
    view.set(event.us - span * 0.8, event.us + span * 0.2);
    select(at, true);
  }

  /** @param {number} factor */
  function zoom(factor) {
    var event = model.events[scene.selected];
    var isSeen = event !== undefined && event.us >= view.from && event.us <= view.until;
    view.zoom(factor, isSeen && event !== undefined ? event.us : (view.from + view.until) / 2);
    draw();
  }

  /** @param {boolean} asTable */
  function showTable(asTable) {
    byId('table').hidden = !asTable;
    byId('drawing').hidden = asTable;
    byId('as-table').setAttribute('aria-pressed', String(asTable));
    byId('as-drawing').setAttribute('aria-pressed', String(!asTable));
    if (asTable) {
      if (scene.selected >= 0) table.turnTo(scene.selected);
      table.draw(scene.selected);
    } else draw();
  }

  var filter = /** @type {HTMLInputElement} */ (byId('filter'));
  function applyFilter() {
    model.filter(filter.value);
    table.stale();
    byId('matches').textContent = model.shownCount() + ' of ' + model.events.length + ' events';
    if (!byId('table').hidden) table.draw(scene.selected);
    draw();
  }

  var keys = /** @type {HTMLDialogElement} */ (byId('keys'));
  /** @type {Record<string, () => void>} */
  var actions = {
    ArrowLeft: function () { view.pan(-PAN_SHARE * (view.until - view.from)); draw(); },
    ArrowRight: function () { view.pan(PAN_SHARE * (view.until - view.from)); draw(); },
    ArrowUp: function () { changeLane(-1); },
    ArrowDown: function () { changeLane(1); },
    '+': function () { zoom(ZOOM_STEP); },
    '=': function () { zoom(ZOOM_STEP); },
    '-': function () { zoom(1 / ZOOM_STEP); },
    '0': function () { view.set(view.fullFrom, view.fullUntil); draw(); },
    Home: function () { select(model.next(-1, 1), true); },
    End: function () { select(model.next(model.events.length, -1), true); },
    n: function () { step(1); },
    p: function () { step(-1); },
    f: toFailure,
    t: function () { showTable(Boolean(byId('table').hidden)); },
    '/': function () { filter.focus(); filter.select(); },
    '?': function () { keys.showModal(); },
    Escape: function () { stage.focus(); },
    Enter: function () { byId('panel').focus(); },
  };
  /** Keys that scroll or press elsewhere belong to the drawing alone. */
  var ONLY_ON_STAGE = ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'Home', 'End', 'Enter'];

  document.addEventListener('keydown', function (event) {
    var target = /** @type {HTMLElement} */ (event.target);
    if (event.ctrlKey || event.metaKey || event.altKey || keys.open) return;
    if (target === filter) {
      if (event.key !== 'Escape' && event.key !== 'Enter') return;
      event.preventDefault();
      stage.focus();
      if (event.key === 'Enter' && scene.selected < 0) step(1);
      return;
    }
    var isOnStage = target === stage || target === document.body;
    if (!isOnStage && ONLY_ON_STAGE.indexOf(event.key) >= 0) return;
    var act = actions[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  });

  /** @type {Map<number, { x: number, y: number }>} */
  var fingers = new Map();
  var downAt = { x: 0, y: 0 };
  var moved = 0;
  var wasPinch = false;
  /** Clicking the same place again goes on to what lies below. */
  var cycle = { x: -1, y: -1, at: 0 };

  /** @param {PointerEvent | WheelEvent | MouseEvent} event */
  function place(event) {
    var box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  stage.addEventListener('pointerdown', function (event) {
    if (event.button !== 0) return;
    fingers.set(event.pointerId, place(event));
    wasPinch = fingers.size > 1;
    downAt = place(event);
    moved = 0;
    stage.setPointerCapture(event.pointerId);
  });
  stage.addEventListener('pointermove', function (event) {
    var at = place(event);
    var before = fingers.get(event.pointerId);
    if (before === undefined) {
      if (event.pointerType === 'mouse') hint(at);
      return;
    }
    moved = Math.max(moved, Math.hypot(at.x - downAt.x, at.y - downAt.y));
    if (fingers.size === 2) {
      var other = /** @type {{ x: number, y: number }} */ (Array.from(fingers.entries()).filter(function (each) { return each[0] !== event.pointerId; }).map(function (each) { return each[1]; })[0]);
      var was = Math.max(20, Math.hypot(before.x - other.x, before.y - other.y));
      var is = Math.max(20, Math.hypot(at.x - other.x, at.y - other.y));
      view.zoom(was / is, view.us((at.x + other.x) / 2));
      view.pan(view.us((before.x + other.x) / 2) - view.us((at.x + other.x) / 2));
    } else if (moved > TAP_PX_MAX) {
      stage.classList.add('dragging');
      view.pan(view.us(before.x) - view.us(at.x));
    }
    fingers.set(event.pointerId, at);
    draw();
  });
  /** @param {PointerEvent} event */
  function lift(event) {
    if (!fingers.delete(event.pointerId)) return;
    stage.classList.remove('dragging');
    if (event.type === 'pointerup' && moved <= TAP_PX_MAX && !wasPinch) click(place(event));
  }
  stage.addEventListener('pointerup', lift);
  stage.addEventListener('pointercancel', lift);
  stage.addEventListener('pointerleave', function () { byId('hint').hidden = true; });

  /** @param {{ x: number, y: number }} at */
  function click(at) {
    var found = eventsAt(scene, at.x, at.y);
    if (found.length === 0) return;
    var isAgain = Math.hypot(at.x - cycle.x, at.y - cycle.y) < 4;
    cycle = { x: at.x, y: at.y, at: isAgain ? cycle.at + 1 : 0 };
    select(found[cycle.at % found.length], false);
  }

  /** @param {{ x: number, y: number }} at */
  function hint(at) {
    var found = at.x < view.gutter ? [] : eventsAt(scene, at.x, at.y);
    var event = model.events[found.length > 0 ? /** @type {number} */ (found[0]) : -1];
    var box = byId('hint');
    box.hidden = event === undefined;
    if (event === undefined) return;
    box.textContent = timeText(event.us) + '  ' + event.text + (found.length > 1 ? '  (+' + (found.length - 1) + ', click again)' : '');
    var isLeft = at.x < view.width / 2;
    box.style.left = isLeft ? at.x + 12 + 'px' : 'auto';
    box.style.right = isLeft ? 'auto' : view.width - at.x + 12 + 'px';
    box.style.top = Math.min(at.y + 14, view.height - 60) + 'px';
  }

  stage.addEventListener('wheel', function (event) {
    event.preventDefault();
    var at = place(event);
    var isSideways = Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey;
    var by = isSideways ? event.deltaX || event.deltaY : event.deltaY;
    var px = event.deltaMode === 1 ? by * 16 : by;
    if (isSideways) view.pan((px / view.width) * (view.until - view.from));
    else view.zoom(Math.exp(Math.max(-200, Math.min(200, px)) * 0.003), view.us(at.x));
    draw();
  }, { passive: false });
  stage.addEventListener('dblclick', function (event) { view.zoom(0.4, view.us(place(event).x)); draw(); });

  /** @param {PointerEvent} event */
  function center(event) {
    if (event.buttons === 0) return;
    var box = strip.getBoundingClientRect();
    var us = view.fullFrom + ((event.clientX - box.left) / box.width) * (view.fullUntil - view.fullFrom);
    view.pan(us - (view.from + view.until) / 2);
    draw();
  }
  byId('overview').addEventListener('pointerdown', function (event) {
    byId('overview').setPointerCapture(event.pointerId);
    center(event);
  });
  byId('overview').addEventListener('pointermove', center);

  /** @param {string} id @param {() => void} act */
  function onClick(id, act) {
    byId(id).addEventListener('click', act);
  }
  onClick('zoom-in', function () { zoom(ZOOM_STEP); });
  onClick('zoom-out', function () { zoom(1 / ZOOM_STEP); });
  onClick('zoom-all', function () { view.set(view.fullFrom, view.fullUntil); draw(); });
  onClick('before', function () { step(-1); });
  onClick('after', function () { step(1); });
  onClick('panel-before', function () { step(-1); });
  onClick('panel-after', function () { step(1); });
  onClick('to-failure', toFailure);
  onClick('as-table', function () { showTable(true); });
  onClick('as-drawing', function () { showTable(false); });
  onClick('page-before', function () { table.turn(-1); table.draw(scene.selected); });
  onClick('page-after', function () { table.turn(1); table.draw(scene.selected); });
  onClick('help', function () { keys.showModal(); });
  onClick('keys-close', function () { keys.close(); });
  onClick('theme', function () {
    var now = document.documentElement.getAttribute('data-theme') || 'auto';
    var next = THEMES[(THEMES.indexOf(now) + 1) % THEMES.length] || 'auto';
    document.documentElement.setAttribute('data-theme', next);
    byId('theme').textContent = 'Theme: ' + next;
    scene.colors = readColors();
    draw();
  });
  filter.addEventListener('input', applyFilter);
  window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', function () { scene.colors = readColors(); draw(); });
  new ResizeObserver(draw).observe(stage);

  stage.style.minHeight = view.heightNeeded() + 'px';
  applyFilter();
  var asked = /^#step=(\d+)$/.exec(location.hash);
  if (asked !== null) select(model.events.findIndex(function (event) { return event.step >= Number(asked && asked[1]); }), true);
  else if (data.failureEvent !== undefined) select(data.failureEvent, false);
  else select(model.next(-1, 1), false);
  document.documentElement.setAttribute('data-ready', 'true');
}

/** The data is packed: a run of 20,000 events is megabytes of JSON otherwise. */
function unpacked() {
  var text = atob((byId('run').textContent || '').trim());
  var bytes = Uint8Array.from(text, function (character) { return character.charCodeAt(0); });
  var stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(stream).json();
}

unpacked().then(start).catch(function (/** @type {unknown} */ cause) {
  byId('panel-title').textContent = 'This browser cannot show the run: ' + String(cause);
});
`;
