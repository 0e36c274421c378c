// The snippet, readable. `npm run minify` in tests/browser makes t.js of it; a test holds the two together.
// docs/snippet.md says how a shop uses it.
(() => {
  const LIFE_MS = 400 * 864e5;
  const HAND_OVER_MS = 12e4;
  const LONGEST_VALUE = 8192;
  const LONGEST_QUEUE = 99;
  const MOST_PAUSES = 6; // of 1, 2, 4 … 32 seconds

  const stub = window.trb;
  if (stub && stub.click) return; // a second copy on the page

  /** Whatever goes wrong here is not the page's trouble. */
  const safely = (act) => (...given) => {
    try { return act(...given); } catch (error) { /* see above */ }
  };
  const on = (target, type, act) => target.addEventListener(type, safely(act), true);

  safely(() => {
    const script = document.currentScript || document.querySelector('script[src*="/t.js"]');
    const endpoint = new URL('e', script.src);
    const hosts = (script.dataset.hosts || '').split(/[\s,]+/).map(safely((host) => new URL('http://' + host).hostname));
    // The service's cookie comes along only within one site; elsewhere the page chooses the visitor id itself.
    const site = (host) => host.split('.').slice(-2).join();
    const isSameSite = site(endpoint.hostname) === site(location.hostname);

    // --- What is remembered: consent, time, visitor and click in one text; in memory only where storage is closed.
    let memory = '';
    const recall = () => {
      safely(() => { memory = localStorage.trb || memory; })();
      return memory.split('.');
    };
    const store = safely((text) => {
      memory = text;
      if (text) localStorage.trb = text;
      else localStorage.removeItem('trb');
    });
    const choice = () => (navigator.globalPrivacyControl ? 'denied' : recall()[0] || script.dataset.consent);
    const isDenied = () => choice() === 'denied';
    const remember = (visitor, click, granted) => {
      const known = recall();
      if (granted || !isDenied()) store([granted || known[0], Date.now(), visitor || known[2], click || known[3]].join('.'));
    };

    /** A UUID of version 7, so that ids from browsers sort by time like the service's own. */
    const newId = () => {
      const time = '0' + Date.now().toString(16);
      const random = () => (crypto.getRandomValues(new Uint8Array(1))[0] & 15).toString(16);
      return 'xxxxxxxx-xxxx-7xxx-8xxx-xxxxxxxxxxxx'.replace(/x/g, (x, at) => time[at - (at > 8)] || random());
    };

    // --- Sending: one at a time, so that the first answer names the visitor of the second event. What is denied has
    // no visitor, because nothing is remembered then.
    let waiting = [];
    let busy; // the event on the wire, or the pause before it is tried again
    let pauses = 0;
    let clicked; // the click id in the address

    const body = (event) => {
      if (!isSameSite && !recall()[2]) remember(newId());
      const [, , visitor, click] = recall();
      return JSON.stringify({
        ...event,
        visitor: visitor || undefined,
        click: click || clicked,
        consent: choice(),
      });
    };
    const next = async () => {
      const event = waiting[0];
      if (busy || !event) return;
      busy = event;
      try {
        // A text goes as text/plain, which asks for no preflight.
        const answer = await fetch(endpoint, { method: 'POST', body: body(event), keepalive: true, credentials: isDenied() ? 'omit' : 'include' });
        if (answer.status > 499 || answer.status === 429) throw 0;
        remember((await answer.json()).visitor);
        waiting.shift();
        busy = pauses = 0;
        next();
      } catch (error) {
        // After the last pause, another event or leaving the page tries again.
        busy = pauses < MOST_PAUSES && setTimeout(() => {
          busy = 0;
          next();
        }, 1000 << pauses++);
      }
    };
    const send = (type, fields) => {
      const event = { type, url: location.href, ...fields, id: newId() };
      if (waiting.length < LONGEST_QUEUE) waiting.push(event);
      next();
      return event;
    };
    on(window, 'pagehide', () => {
      // What is on the wire outlives the page by itself.
      waiting = waiting.filter((event) => event === busy || !navigator.sendBeacon(endpoint, body(event)));
    });

    // --- The address: what it carries for us, and visits.
    let place;
    let lastUrl = document.referrer;
    let landing;
    const visit = safely((url) => {
      const here = (location.pathname + location.search.replace('?', '&')).replace(/&trb_\w+=[^&]*/g, '');
      if (here === place) return;
      place = here;
      const event = send('visit', { url: url || location.href, ref: lastUrl });
      landing = landing || event;
      lastUrl = location.href;
    });
    const take = (name, stays) => {
      const url = new URL(location);
      const [found, value] = new RegExp(`[?&]${name}=([\\w.-]*)`).exec(url.search) || [];
      if (found && !stays) {
        url.search = url.search.replace(found, '').replace(/^&/, '?');
        safely(() => history.replaceState(history.state, '', url))();
      }
      return value;
    };
    const takeClick = () => {
      // Without consent it goes on travelling in the address.
      clicked = take('trb_click', isDenied()) || clicked;
      if (clicked) remember(0, clicked);
    };

    // --- Hand-over: a link or form to another host of the shop takes the visitor along.
    const handOver = (event) => {
      const element = event.target.closest('a[href],form[action]');
      if (!element) return;
      const { hostname } = new URL(element.href || element.action);
      const [, , visitor, click] = recall();
      if (!hosts.includes(hostname) || hostname === location.hostname || !(visitor || click)) return;
      const pass = [Date.now(), visitor, click].join('.');
      if (element.href) {
        const before = element.getAttribute('href');
        element.search += (element.search ? '&' : '?') + 'trb_x=' + pass;
        setTimeout(() => element.setAttribute('href', before)); // a link that is copied later carries nothing
      } else if (event.type === 'submit' && element.method === 'get') {
        const field = Object.assign(document.createElement('input'), { type: 'hidden', name: 'trb_x', value: pass });
        element.append(field);
        setTimeout(() => field.remove());
      }
    };

    // --- Calls of the page.
    const consent = (answer) => {
      const wasDenied = isDenied();
      if (answer !== 'granted') return store('denied');
      if (navigator.globalPrivacyControl) return;
      remember(0, 0, answer);
      takeClick();
      // The landing was told without a visitor, and a journey needs its beginning.
      if (wasDenied && landing) send('visit', landing);
    };
    const trb = window.trb = safely((what, about, value) => {
      const name = about ? `${about}` : undefined;
      if (what === 'consent') consent(about);
      else if (what === 'identify') name && send(what, { customer: name });
      else if (/^(lead|event|order)$/.test(what)) {
        send(what, { name, value: safely(() => (JSON.stringify(value).length > LONGEST_VALUE ? undefined : value))() });
      }
    });
    trb.click = () => recall()[3] || clicked || '';
    trb.visitor = () => recall()[2] || '';

    const begin = () => {
      const replay = (isConsent) => ((stub && stub.q) || []).forEach((call) => (call[0] === 'consent') === isConsent && trb(...call));
      const [answer, time] = recall();
      if (Date.now() - time > LIFE_MS || (answer !== 'denied' && isDenied())) store('');
      replay(true);
      const [at, visitor, click] = (take('trb_x') || '').split('.');
      if (script.dataset.hosts && Math.abs(Date.now() - at) < HAND_OVER_MS) remember(visitor, click);
      const url = location.href;
      takeClick();
      for (const name of ['pushState', 'replaceState']) {
        const original = history[name];
        history[name] = function (...given) {
          const result = original.apply(this, given);
          visit();
          return result;
        };
      }
      on(window, 'popstate', () => visit());
      for (const type of ['click', 'auxclick', 'submit']) on(document, type, handOver);
      visit(url);
      replay(false);
    };
    // A page rendered ahead is no visit until it is looked at.
    if (document.prerendering) on(document, 'prerenderingchange', begin);
    else begin();
  })();
})();
