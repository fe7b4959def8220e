/**
 * Script of the page of a run, first part: the data as the page asks for it. Text that a browser runs, without packages and
 * template literals; a test gives it to the compiler with the browser's types (page-script.test.ts).
 */

export const MODEL_SCRIPT = String.raw`
/** Events of a block have one bound of what they reach, so that a view looks at few of them. */
var BLOCK = 64;

/** @param {number} us */
function timeText(us) {
  var parts = (us / 1000).toFixed(3).split('.');
  return (parts[0] || '').replace(/\B(?=(\d{3})+$)/g, ',') + '.' + parts[1] + ' ms';
}

/** @param {number} us */
function durationText(us) {
  var size = Math.abs(us);
  if (size < 1000) return us + ' µs';
  if (size < 1000000) return Number((us / 1000).toFixed(2)) + ' ms';
  return Number((us / 1000000).toFixed(3)) + ' s';
}

/** What an event is to the eye. @param {PageEvent} event */
function shapeOf(event) {
  if (event.kind === 'deliver' || event.kind === 'drop' || event.kind === 'undelivered') return 'message';
  if (event.kind === 'machine') return event.taken ? 'taken' : 'refused';
  if (event.kind === 'call' || event.kind === 'return' || event.kind === 'client-crash') return 'client';
  if (event.kind === 'fault' || event.kind === 'fault-end') return 'fault';
  if (event.kind === 'heal' || event.kind === 'failure') return 'line';
  return event.kind; // commit, down, up
}

/** Index of the first item whose value is at least so much. @param {ArrayLike<number>} values @param {number} least */
function lowerBound(values, least) {
  var low = 0;
  var high = values.length;
  while (low < high) {
    var middle = (low + high) >> 1;
    if (/** @type {number} */ (values[middle]) < least) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** @param {PageData} data */
function createModel(data) {
  var events = data.events;
  var startOf = new Float64Array(events.length);
  var texts = events.map(function (event) { return (event.kind + ' ' + event.text).toLowerCase(); });
  /** Every machine's state after each of its events. @type {(Record<string, unknown> | undefined)[]} */
  var states = [];
  /** @type {number[][]} events of a replica that carry a state */
  var withState = [];
  /** @type {Record<string, unknown>} */
  var initial = Object.assign({}, data.initial);
  /** @type {Record<string, unknown>[]} */
  var last = [];
  for (var replica = 0; replica < data.replicaCount; replica++) {
    withState.push([]);
    last.push(initial);
  }
  var order = new Uint32Array(events.length);
  events.forEach(function (event, index) {
    startOf[index] = event.sentUs === undefined ? event.us : event.sentUs;
    order[index] = index;
    if (event.changes === undefined || event.replica === undefined) return;
    var state = Object.assign({}, last[event.replica], event.changes);
    last[event.replica] = state;
    states[index] = state;
    /** @type {number[]} */ (withState[event.replica]).push(index);
  });
  order.sort(function (a, b) { return /** @type {number} */ (startOf[a]) - /** @type {number} */ (startOf[b]); });
  var starts = Float64Array.from(order, function (index) { return /** @type {number} */ (startOf[index]); });
  var reach = new Float64Array(Math.ceil(events.length / BLOCK));
  order.forEach(function (index, at) {
    var block = Math.floor(at / BLOCK);
    reach[block] = Math.max(/** @type {number} */ (reach[block]), /** @type {PageEvent} */ (events[index]).us);
  });
  /** 1 for what the filter lets through. */
  var shown = new Uint8Array(events.length).fill(1);
  var shownCount = events.length;

  /** Calls visit for each event that is shown and meets this time. @param {number} fromUs @param {number} untilUs @param {(event: PageEvent, index: number) => void} visit */
  function visible(fromUs, untilUs, visit) {
    var end = lowerBound(starts, untilUs + 1);
    for (var block = 0; block * BLOCK < end; block++) {
      if (/** @type {number} */ (reach[block]) < fromUs) continue;
      var stop = Math.min(end, (block + 1) * BLOCK);
      for (var at = block * BLOCK; at < stop; at++) {
        var index = /** @type {number} */ (order[at]);
        var event = /** @type {PageEvent} */ (events[index]);
        if (shown[index] === 1 && event.us >= fromUs) visit(event, index);
      }
    }
  }

  /** Words that all must occur; -word must not. @param {string} text */
  function filter(text) {
    var words = text.toLowerCase().split(/\s+/).filter(function (word) { return word !== '' && word !== '-'; });
    shownCount = 0;
    texts.forEach(function (has, index) {
      var fits = words.every(function (word) {
        return word.charAt(0) === '-' ? has.indexOf(word.slice(1)) < 0 : has.indexOf(word) >= 0;
      });
      shown[index] = fits ? 1 : 0;
      if (fits) shownCount++;
    });
  }

  /** The next event that the filter lets through, or undefined. @param {number} from @param {1 | -1} direction */
  function next(from, direction) {
    for (var index = from + direction; index >= 0 && index < events.length; index += direction)
      if (shown[index] === 1) return index;
    return undefined;
  }

  /** The replica's state after this event or the last one before it, and the one before that. @param {number} index @param {number} replica */
  function stateAt(index, replica) {
    var list = withState[replica] || [];
    var at = lowerBound(list, index + 1) - 1;
    var own = list[at];
    var before = list[at - 1];
    return {
      isOwn: own === index,
      after: (own === undefined ? undefined : states[own]) || initial,
      before: (before === undefined ? undefined : states[before]) || initial,
    };
  }

  /** What happens in a step, and what is sent in it and arrives later. @type {Map<number, number[]>} */
  var ofStep = new Map();
  events.forEach(function (event, index) {
    [event.step, event.sentStep].forEach(function (step, at, both) {
      if (step === undefined || (at === 1 && step === both[0])) return;
      var list = ofStep.get(step);
      if (list === undefined) ofStep.set(step, [index]);
      else list.push(index);
    });
  });

  /** @param {number} index @param {number} replica */
  function isDownAt(index, replica) {
    var us = /** @type {PageEvent} */ (events[index]).us;
    return data.spans.some(function (span) {
      return span.replica === replica && span.status === 'down' && span.fromUs <= us && us < span.untilUs;
    });
  }

  return {
    data: data,
    isDownAt: isDownAt,
    ofStep: function (/** @type {number} */ step) { return ofStep.get(step) || []; },
    events: events,
    visible: visible,
    filter: filter,
    next: next,
    stateAt: stateAt,
    isShown: function (/** @type {number} */ index) { return shown[index] === 1; },
    shownCount: function () { return shownCount; },
  };
}
`;
