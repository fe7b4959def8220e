/**
 * Script of the page of a run, fifth part: what is known of the selected event, and the table of events. Text of the run gets
 * into the document as text only. Text that a browser runs; see model-script.ts.
 */

export const PANEL_SCRIPT = String.raw`
var TABLE_ROWS_MAX = 100;
var LINKS_MAX = 24;
var HASH_DIGITS_SHOWN = 12;

/** @param {string} id */
function byId(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/** @param {string} tag @param {Record<string, string>} attributes @param {(Node | string)[]} children */
function element(tag, attributes, children) {
  var made = document.createElement(tag);
  Object.keys(attributes).forEach(function (name) { made.setAttribute(name, attributes[name] || ''); });
  children.forEach(function (child) { made.append(child); });
  return made;
}

/** One value on a line; long hashes are cut and say so, as explanations do. @param {unknown} value */
function valueText(value) {
  var text = typeof value === 'string' ? value : JSON.stringify(value);
  if (text === undefined) return '-';
  return text.replace(/[0-9a-f]{64}/g, function (hash) {
    return /^0+$/.test(hash) ? '(no entry)' : hash.slice(0, HASH_DIGITS_SHOWN) + '...';
  });
}

/** @param {ReturnType<typeof createModel>} model @param {PageGuard} guard */
function guardItem(model, guard) {
  var item = element('li', { class: guard.holds ? 'holds' : 'fails' }, [
    element('span', { class: guard.holds ? 'good' : 'bad' }, [guard.holds ? '✓ holds ' : '✗ fails ']),
    element('strong', {}, [guard.name]),
  ]);
  var words = guard.words === undefined ? undefined : model.data.words[guard.words];
  if (words !== undefined && words.text !== '') item.append(element('div', {}, [words.text]));
  var facts = Object.keys(guard.facts).map(function (name) { return name + ' = ' + valueText(guard.facts[name]); });
  (guard.missing || []).forEach(function (name) { facts.push(name + ' (not there)'); });
  facts.forEach(function (fact) { item.append(element('span', { class: 'mono' }, [fact])); });
  if (words !== undefined) words.places.forEach(function (place) { item.append(element('span', { class: 'mono' }, [place])); });
  return item;
}

/** @param {ReturnType<typeof createModel>} model @param {PageEvent} event @param {number} index */
function statePart(model, event, index) {
  if (event.replica === undefined) return clusterPart(model, index);
  var found = model.stateAt(index, event.replica);
  var after = found.after;
  var before = found.isOwn ? found.before : undefined;
  var rows = Object.keys(after).map(function (name) {
    var now = valueText(after[name]);
    var was = before === undefined ? now : valueText(before[name]);
    var isChanged = before !== undefined && JSON.stringify(before[name]) !== JSON.stringify(after[name]);
    return element('tr', isChanged ? { class: 'changed' } : {}, [
      element('th', { scope: 'row' }, [name].concat(isChanged ? [' (changed)'] : [])),
      element('td', {}, isChanged ? [element('del', {}, [was]), ' → ', element('ins', {}, [now])] : [now]),
    ]);
  });
  var title = 'State of r' + event.replica + (found.isOwn ? (event.taken === false ? ', unchanged' : ' after it') : ' at this time');
  return [
    element('h3', {}, [title]),
    element('table', {}, [
      element('caption', { class: 'visually-hidden' }, [title]),
      element('thead', { class: 'visually-hidden' }, [element('tr', {}, [element('th', { scope: 'col' }, ['field']), element('th', { scope: 'col' }, ['value'])])]),
      element('tbody', {}, rows),
    ]),
  ];
}

var CLUSTER_FIELDS = ['view', 'logView', 'op', 'opDurable', 'commit'];

/** Every replica at the time of an event that is at none. @param {ReturnType<typeof createModel>} model @param {number} index */
function clusterPart(model, index) {
  /** @type {HTMLElement[]} */
  var rows = [];
  for (var replica = 0; replica < model.data.replicaCount; replica++) {
    var state = model.stateAt(index, replica).after;
    var status = model.isDownAt(index, replica) ? 'down' : valueText(state.status);
    var values = CLUSTER_FIELDS.map(function (name) { return element('td', {}, [valueText(state[name])]); });
    rows.push(element('tr', {}, [element('th', { scope: 'row' }, ['r' + replica]), element('td', {}, [status])].concat(values)));
  }
  var heads = ['replica', 'status'].concat(CLUSTER_FIELDS).map(function (name) { return element('th', { scope: 'col' }, [name]); });
  return [
    element('h3', {}, ['The replicas at this time']),
    element('table', { class: 'cluster' }, [
      element('caption', { class: 'visually-hidden' }, ['The replicas at this time']),
      element('thead', {}, [element('tr', {}, heads)]),
      element('tbody', {}, rows),
    ]),
  ];
}

/** @param {PageEvent} event */
function factsPart(event) {
  /** @type {(readonly [string, string])[]} */
  var facts = [['step', String(event.step)], ['time', timeText(event.us)]];
  if (event.sentUs !== undefined)
    facts.push(['sent', timeText(event.sentUs) + (event.sentStep === undefined ? '' : ', step ' + event.sentStep) + (event.kind === 'undelivered' ? '' : ', ' + durationText(event.us - event.sentUs) + ' before')]);
  if (event.untilUs !== undefined && event.untilUs > event.us) facts.push(['until', timeText(event.untilUs) + ', ' + durationText(event.untilUs - event.us) + ' long']);
  if (event.why !== undefined) facts.push(['lost by', event.why]);
  facts = facts.concat(event.facts || []);
  return element('dl', {}, facts.reduce(function (/** @type {Node[]} */ list, fact) {
    list.push(element('dt', {}, [fact[0]]), element('dd', {}, [valueText(fact[1])]));
    return list;
  }, []));
}

/** Buttons to events of the same step, and to what it sent. @param {ReturnType<typeof createModel>} model @param {PageEvent} event @param {number} index @param {(index: number) => void} choose */
function linksPart(model, event, index, choose) {
  /** @param {string} title @param {number[]} indices */
  var list = function (title, indices) {
    if (indices.length === 0) return [];
    return [
      element('h3', {}, [title]),
      element('ul', { class: 'links' }, indices.slice(0, LINKS_MAX).map(function (each) {
        var button = element('button', { type: 'button' }, [/** @type {PageEvent} */ (model.events[each]).text]);
        button.addEventListener('click', function () { choose(each); });
        return element('li', {}, [button]);
      })),
    ];
  };
  var others = model.ofStep(event.step).filter(function (each) { return each !== index; });
  var isHere = function (/** @type {number} */ each) { return /** @type {PageEvent} */ (model.events[each]).step === event.step; };
  var origin = event.sentStep === undefined || event.sentStep === event.step ? [] : model.ofStep(event.sentStep).filter(function (each) {
    var other = /** @type {PageEvent} */ (model.events[each]);
    return other.step === event.sentStep && other.replica === event.from;
  });
  return list('In the same step', others.filter(isHere))
    .concat(list('Sent in this step', others.filter(function (each) { return !isHere(each); })))
    .concat(list('It was sent in a step with', origin));
}

/** @param {ReturnType<typeof createModel>} model @param {number} index @param {(index: number) => void} choose */
function fillPanel(model, index, choose) {
  var event = model.events[index];
  var body = byId('panel-body');
  if (event === undefined) return;
  byId('panel-title').textContent = event.text;
  byId('panel-count').textContent = 'Event ' + (index + 1) + ' of ' + model.events.length;
  /** @type {Node[]} */
  var parts = [factsPart(event)];
  if (event.guards !== undefined) {
    var failing = event.guards.filter(function (guard) { return !guard.holds; });
    parts.push(element('h3', {}, [failing.length > 0 ? 'Guards: refused by ' + failing.map(function (guard) { return guard.name; }).join(', ') : event.guards.length === 0 ? 'Guards: it has none' : 'Guards: all hold']));
    var inOrder = failing.concat(event.guards.filter(function (guard) { return guard.holds; }));
    if (inOrder.length > 0) parts.push(element('ul', { class: 'guard-list' }, inOrder.map(function (guard) { return guardItem(model, guard); })));
  }
  if (event.guards === undefined) parts = parts.concat(linksPart(model, event, index, choose));
  parts = parts.concat(statePart(model, event, index));
  if (event.lines !== undefined) {
    var text = event.lines.map(function (line) { return model.data.lines[line]; }).join('\n');
    parts.push(element('h3', {}, ['Explanation']));
    parts.push(element('pre', { tabindex: '0', role: 'region', 'aria-label': 'Explanation' }, [text]));
  }
  if (event.guards !== undefined) parts = parts.concat(linksPart(model, event, index, choose));
  body.replaceChildren.apply(body, parts);
  byId('panel').scrollTop = 0;
}

/** @param {ReturnType<typeof createModel>} model @param {(index: number) => void} choose */
function createTable(model, choose) {
  /** @type {number[]} */
  var indices = [];
  var page = 0;
  var isStale = true;

  function refresh() {
    isStale = false;
    indices = [];
    for (var index = -1; ; ) {
      var following = model.next(index, 1);
      if (following === undefined) break;
      indices.push(following);
      index = following;
    }
    page = 0;
  }

  /** @param {number} selected */
  function draw(selected) {
    if (isStale) refresh();
    var pages = Math.max(1, Math.ceil(indices.length / TABLE_ROWS_MAX));
    page = Math.min(page, pages - 1);
    var rows = indices.slice(page * TABLE_ROWS_MAX, (page + 1) * TABLE_ROWS_MAX).map(function (index) {
      var event = /** @type {PageEvent} */ (model.events[index]);
      var button = element('button', { type: 'button', 'aria-label': 'Show event ' + (index + 1) }, ['Show']);
      button.addEventListener('click', function () { choose(index); });
      return element('tr', index === selected ? { 'aria-current': 'true' } : {}, [
        element('td', { class: 'number' }, [String(event.step)]),
        element('td', { class: 'number' }, [timeText(event.us)]),
        element('td', {}, [event.kind]),
        element('td', {}, [event.text]),
        element('td', {}, [button]),
      ]);
    });
    byId('table-rows').replaceChildren.apply(byId('table-rows'), rows);
    var current = document.querySelector('#table-rows tr[aria-current]');
    if (current !== null) current.scrollIntoView({ block: 'nearest' });
    byId('table-page').textContent = 'Page ' + (page + 1) + ' of ' + pages;
    /** @type {HTMLButtonElement} */ (byId('page-before')).disabled = page === 0;
    /** @type {HTMLButtonElement} */ (byId('page-after')).disabled = page >= pages - 1;
  }

  return {
    draw: draw,
    stale: function () { isStale = true; },
    turn: function (/** @type {number} */ by) { page = Math.max(0, page + by); },
    /** @param {number} index */
    turnTo: function (index) {
      if (isStale) refresh();
      page = Math.floor(lowerBound(indices, index) / TABLE_ROWS_MAX);
    },
  };
}
`;
