/* Tributary: records visits, leads and identities. Configure: <script async src="…/t.js" data-consent="denied"></script> */
(function (w, d) {
  var s = d.currentScript, base = s ? s.src.replace(/\/t\.js.*$/, '') : '', ls, last, first;
  try { ls = w.localStorage; ls.getItem('trb'); } catch (e) { ls = null; }
  function get(k) { try { return ls && ls.getItem(k); } catch (e) { return null; } }
  function put(k, v) { try { if (ls) { if (v) ls.setItem(k, v); else ls.removeItem(k); } } catch (e) { /* storage is full or closed */ } }
  var consent = (s && s.getAttribute('data-consent')) || get('trb_consent') || '';
  var m = /[?&]trb_click=([\w-]+)/.exec(w.location.search), click = m ? m[1] : get('trb_click');
  function keep() { if (m && consent !== 'denied') put('trb_click', m[1]); }
  function send(o, tries) {
    o.url = o.url || w.location.href;
    if (click) o.click = click;
    if (consent) o.consent = consent;
    var v = get('trb_vid');
    if (v && consent !== 'denied') o.visitor = v;
    var body = JSON.stringify(o);
    function again() {
      if (tries > 0) setTimeout(function () { send(o, tries - 1); }, 2000);
      else if (w.navigator.sendBeacon) w.navigator.sendBeacon(base + '/e', body);
    }
    if (!w.fetch) { if (w.navigator.sendBeacon) w.navigator.sendBeacon(base + '/e', body); return; }
    w.fetch(base + '/e', { method: 'POST', body: body, headers: { 'Content-Type': 'text/plain' }, credentials: 'include', keepalive: true })
      .then(function (r) { if (r.status >= 500 || r.status === 429) throw 0; return r.json(); })
      .then(function (r) { if (r.visitor && consent !== 'denied') put('trb_vid', r.visitor); }, again);
  }
  function visit() {
    if (last === w.location.href) return;
    var ref = last || d.referrer;
    last = w.location.href;
    send({ type: 'visit', ref: ref, url: first || last }, 3);
    first = '';
  }
  function trb(what, a, b) {
    if (what === 'consent') {
      consent = a === 'granted' ? 'granted' : 'denied';
      put('trb_consent', consent);
      if (consent === 'denied') { put('trb_vid'); put('trb_click'); } else keep();
    } else if (what === 'identify') send({ type: 'identify', customer: String(a) }, 3);
    else if (what === 'lead') send({ type: 'lead', name: String(a), value: b }, 3);
    else if (what === 'event') send({ type: 'event', name: String(a), value: b }, 3);
    else if (what === 'order') send({ type: 'order', name: String(a), value: b }, 3);
  }
  var waiting = w.trb && w.trb.q || [];
  w.trb = trb;
  w.trb.click = function () { return click; };
  keep();
  if (m && w.history.replaceState) {
    try {
      var clean = w.location.href.replace(/([?&])trb_click=[\w-]+(&|(?=#)|$)/, function (all, a, b) { return b === '&' ? a : ''; });
      first = w.location.href;
      w.history.replaceState(w.history.state, '', clean);
    } catch (e) { /* a page without an address of its own */ }
  }
  ['pushState', 'replaceState'].forEach(function (name) {
    var old = w.history[name];
    if (old) w.history[name] = function () { var r = old.apply(this, arguments); visit(); return r; };
  });
  w.addEventListener('popstate', visit);
  for (var i = 0; i < waiting.length; i++) trb.apply(null, waiting[i]);
  visit();
})(window, document);
