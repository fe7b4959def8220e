/**
 * Script of the page of a run, second part: which time is seen and where the lanes are. Text that a browser runs; see
 * model-script.ts.
 */

export const VIEW_SCRIPT = `
/** Least time that the width of the drawing shows. */
var SPAN_US_MIN = 40;
var AXIS_PX = 24;
var FAULT_ROW_PX = 15;
var FAULT_ROWS_MAX = 8;
/** The lane of clients: its rows share so much. */
var CALLS_PX_MAX = 84;
var CALL_ROW_PX_MAX = 7;
var CALL_ROWS_MAX = 40;
var BAND_PX = 30;
/** Below the middle of a band: there its dots are, and the name of the view above them. */
var DOT_PX = 7;
var LANE_PX_MIN = 66;
var LANE_PX_MAX = 190;

/** @param {ReturnType<typeof createModel>} model */
function createView(model) {
  var data = model.data;
  var whole = { from: data.startUs, until: Math.max(data.endUs, data.startUs + SPAN_US_MIN) };
  var margin = (whole.until - whole.from) * 0.015;
  var fullFrom = whole.from - margin;
  var fullUntil = whole.until + margin;
  var faultRows = Math.min(FAULT_ROWS_MAX, data.faults.reduce(function (most, fault) { return Math.max(most, fault.row + 1); }, 1));
  var callRows = Math.min(CALL_ROWS_MAX, data.calls.reduce(function (most, call) { return Math.max(most, call.row + 1); }, 1));
  var callPx = Math.max(2, Math.min(CALL_ROW_PX_MAX, CALLS_PX_MAX / callRows));
  var view = {
    callPx: callPx,
    from: fullFrom,
    until: fullUntil,
    width: 1,
    height: 1,
    gutter: 64,
    faultsTop: AXIS_PX + 6,
    callsTop: AXIS_PX + 6 + faultRows * FAULT_ROW_PX + 12,
    lanesTop: 0,
    lanePx: LANE_PX_MIN,
    faultRows: faultRows,
    callRows: callRows,
    fullFrom: fullFrom,
    fullUntil: fullUntil,
    resize: resize,
    x: x,
    us: us,
    laneY: laneY,
    zoom: zoom,
    pan: pan,
    show: show,
    set: set,
    heightNeeded: heightNeeded,
  };
  view.lanesTop = view.callsTop + callRows * callPx + 34;

  function heightNeeded() {
    return view.lanesTop + BAND_PX + (data.replicaCount - 1) * LANE_PX_MIN + 30;
  }

  /** @param {number} width @param {number} height */
  function resize(width, height) {
    view.width = Math.max(1, width);
    view.height = Math.max(1, height);
    view.gutter = width < 600 ? 46 : 64;
    var room = height - view.lanesTop - BAND_PX - 30;
    view.lanePx = Math.min(LANE_PX_MAX, Math.max(LANE_PX_MIN, room / Math.max(1, data.replicaCount - 1)));
  }

  /** @param {number} at */
  function x(at) {
    return view.gutter + ((at - view.from) / (view.until - view.from)) * (view.width - view.gutter);
  }

  /** @param {number} px */
  function us(px) {
    return view.from + ((px - view.gutter) / Math.max(1, view.width - view.gutter)) * (view.until - view.from);
  }

  /** Middle of a replica's band. @param {number} replica */
  function laneY(replica) {
    return view.lanesTop + BAND_PX / 2 + replica * view.lanePx;
  }

  /** @param {number} from @param {number} until */
  function set(from, until) {
    var span = Math.min(Math.max(until - from, SPAN_US_MIN), fullUntil - fullFrom);
    var start = Math.min(Math.max(from, fullFrom), fullUntil - span);
    view.from = start;
    view.until = start + span;
  }

  /** factor below 1 shows less. @param {number} factor @param {number} aboutUs stays where it is */
  function zoom(factor, aboutUs) {
    var span = Math.min(Math.max((view.until - view.from) * factor, SPAN_US_MIN), fullUntil - fullFrom);
    var share = (aboutUs - view.from) / (view.until - view.from);
    set(aboutUs - share * span, aboutUs + (1 - share) * span);
  }

  /** @param {number} byUs */
  function pan(byUs) {
    set(view.from + byUs, view.until + byUs);
  }

  /** Moves as little as shows this time, not at the very edge. @param {number} fromUs @param {number} untilUs */
  function show(fromUs, untilUs) {
    var span = view.until - view.from;
    var edge = span * 0.12;
    if (untilUs - fromUs > span - 2 * edge) set(fromUs - (untilUs - fromUs) * 0.3, untilUs + (untilUs - fromUs) * 0.3);
    else if (fromUs < view.from + edge) pan(fromUs - view.from - edge);
    else if (untilUs > view.until - edge) pan(untilUs - view.until + edge);
  }

  return view;
}
`;
