// Starts the sample on a free port with a data folder of its own, and stops it by its process.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const binary = resolve(here, process.env.TRIBUTARY_BIN ?? '../../target/debug/tributary');
const PATIENCE_MS = 300_000;

export async function startDemo() {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-browser-'));
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TRIBUTARY_')));
  const args = ['demo', '--listen', '127.0.0.1:0', '--data-dir', folder, '--as-of', '2026-11-22', '--json'];
  const child = spawn(binary, args, { env, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk) => { said = (said + chunk).slice(-4_000); });

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
  process.once('exit', () => child.kill('SIGKILL'));

  try {
    const line = await new Promise((done, failed) => {
      const late = setTimeout(() => failed(new Error(`the demo said nothing for ${PATIENCE_MS / 1000} s\n${said}`)), PATIENCE_MS);
      createInterface({ input: child.stdout }).once('line', (text) => { clearTimeout(late); done(text); });
      child.once('error', (error) => { clearTimeout(late); failed(error); });
      child.once('exit', (code) => { clearTimeout(late); failed(new Error(`the demo ended with ${code}\n${said}`)); });
    });
    /** Makes a user on the command line, beside the running service. */
    const addUser = (email, role, password) => execFileSync(
      binary, ['user', 'add', '--email', email, '--role', role, '--database-url', `sqlite://${join(folder, 'tributary.db')}`],
      { env, cwd: folder, input: `${password}\n`, stdio: ['pipe', 'ignore', 'pipe'] },
    );
    return { ...JSON.parse(line), addUser, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
