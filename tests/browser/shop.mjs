// A shop under test: the service, a wire before it that records and breaks, and pages on hosts of their own.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, request as ask } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const binary = resolve(here, process.env.TRIBUTARY_BIN ?? '../../target/debug/tributary');
const PATIENCE_MS = 60_000;

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** Waits until something is so. */
export async function until(what, isSo, patienceMs = 10_000) {
  for (const end = Date.now() + patienceMs; Date.now() < end; await pause(25)) {
    const told = await isSo();
    if (told) return told;
  }
  throw new Error(`waited in vain until ${what}`);
}

async function startService() {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-snippet-'));
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TRIBUTARY_')));
  const store = ['--database-url', `sqlite://${join(folder, 'tributary.db')}`];
  const child = spawn(binary, ['serve', '--listen', '127.0.0.1:0', '--edge-rate-limit', '0', ...store], {
    env, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk) => { said = (said + chunk).slice(-4_000); });
  process.once('exit', () => child.kill('SIGKILL'));
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const gone = new Promise((done) => child.once('exit', done));
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await gone;
      clearTimeout(late);
    }
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const line = await new Promise((done, failed) => {
      const late = setTimeout(() => failed(new Error(`the service said nothing\n${said}`)), PATIENCE_MS);
      createInterface({ input: child.stdout }).once('line', (text) => { clearTimeout(late); done(text); });
      child.once('error', (error) => { clearTimeout(late); failed(error); });
      child.once('exit', (code) => { clearTimeout(late); failed(new Error(`the service ended with ${code}\n${said}`)); });
    });
    const key = execFileSync(binary, ['key', 'add', '--name', 'tests', '--scope', 'admin', ...store], { env, cwd: folder, encoding: 'utf8' });
    return { url: /http:\/\/[\d.:]+/.exec(line)[0], key: /trb_\S+/.exec(key)[0], stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const listening = (server) => new Promise((done) => server.listen(0, '127.0.0.1', () => done(server.address().port)));

/** What stands before the service: keeps every event that came, with its answer, and breaks when told to. */
async function startWire(service) {
  const wire = { events: [], breaks: () => null };
  const changed = process.env.SNIPPET; // a snippet to try without building
  const server = createServer(async (request, answer) => {
    // A browser repeats by itself what breaks on a connection that was used before.
    answer.shouldKeepAlive = false;
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    if (changed && request.url.startsWith('/t.js')) {
      answer.writeHead(200, { 'content-type': 'text/javascript', 'access-control-allow-origin': '*' }).end(await readFile(changed));
      return;
    }
    const isEvent = request.url.startsWith('/e');
    const event = { method: request.method, headers: request.headers, status: 0 };
    let fault = null;
    if (isEvent) {
      if (request.method === 'POST') Object.assign(event, JSON.parse(body));
      event.fields = request.method === 'POST' ? Object.keys(JSON.parse(body)) : [];
      wire.events.push(event);
      fault = await wire.breaks(event);
    }
    if (fault === 'cut') return void request.socket.destroy();
    if (fault) return void answer.writeHead(fault, { 'access-control-allow-origin': request.headers.origin ?? '*', 'access-control-allow-credentials': 'true' }).end('{}');
    const onward = ask(service.url + request.url, { method: request.method, headers: request.headers }, (told) => {
      event.status = told.statusCode;
      event.cookie = (told.headers['set-cookie'] ?? []).join();
      if (isEvent && wire.loses?.(event)) {
        told.resume();
        return void request.socket.destroy();
      }
      answer.writeHead(told.statusCode, told.rawHeaders);
      told.pipe(answer);
    });
    onward.on('error', () => request.socket.destroy());
    onward.end(body);
  });
  wire.port = await listening(server);
  wire.reset = () => Object.assign(wire, { events: [], breaks: () => null, loses: null });
  wire.stop = () => { server.closeAllConnections(); server.close(); };
  return wire;
}

/**
 * Pages of every host under one port. What stands on them beside the snippet is `usual`, and for one host and path in
 * `pages`: `{ attributes, head, body, headers, from, copies }`, or `{ raw, headers }` without it.
 */
async function startPages() {
  const pages = new Map();
  const asked = [];
  const usual = {};
  const server = createServer((request, answer) => {
    const path = new URL(request.url, 'http://x').pathname;
    if (path === '/favicon.ico') return void answer.writeHead(204).end();
    const { host } = request.headers;
    asked.push(`http://${host}${request.url}`);
    const page = { attributes: '', head: '', body: '', headers: {}, from: 'track.shop.example', copies: 1, ...usual, ...pages.get(host + path) };
    if (page.raw) return void answer.writeHead(200, page.headers).end(page.raw);
    const tag = `<script async src="http://${page.from}/t.js" ${page.attributes}></script>`;
    answer.writeHead(200, { 'content-type': 'text/html; charset=utf-8', ...page.headers });
    answer.end(`<!doctype html><title>${path}</title>${page.head}${tag.repeat(page.copies)}<body>${page.body}</body>`);
  });
  const port = await listening(server);
  return { pages, usual, asked, port, stop: () => { server.closeAllConnections(); server.close(); } };
}

export async function startShop() {
  const service = await startService();
  const wire = await startWire(service);
  const site = await startPages();
  const stop = async () => {
    wire.stop();
    site.stop();
    await service.stop();
  };

  const api = async (path, body) => {
    const answer = await fetch(service.url + path, {
      method: body ? 'POST' : 'GET',
      headers: { authorization: `Bearer ${service.key}`, 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
    });
    const told = await answer.json();
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${JSON.stringify(told)}`);
    return told;
  };
  const settled = () => until('the spool is moved', async () => /^tributary_spool_oldest_seconds 0$/m.test(await (await fetch(`${service.url}/metrics`)).text()));
  let orders = 0;
  /** Places an order and answers what it is owed to, with the touches that led to it. */
  const order = async (given) => {
    await settled();
    const external_id = `order-${orders += 1}`;
    const placed = await api('/v1/orders', { external_id, placed_at: new Date().toISOString(), currency: 'RUB', total: '100.00', ...given });
    const { touches } = await api(`/v1/orders/${external_id}/attribution`);
    return { partner: placed.payable.partner, touches };
  };

  try {
    const program = await api('/v1/programs', { name: 'Shop', currency: 'RUB', destination_hosts: ['shop.example'] });
    const partner = await api('/v1/partners', { name: 'Anna', email: 'anna@blog.example' });
    await api('/v1/links', { program: program.id, partner: partner.id, code: 'anna', url: 'http://shop.example/landing?colour=red' });
    // Names end here: those of the service at the wire, all others at the shop's pages.
    const to = (port, ...hosts) => hosts.map((host) => `MAP ${host}:80 127.0.0.1:${port}`);
    const names = [...to(wire.port, 'track.shop.example', 'tributary.example'), ...to(site.port, '*.example')].join(', ');
    return { wire, service, order, names, partner: partner.id, pages: site.pages, asked: site.asked, usual: site.usual, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
