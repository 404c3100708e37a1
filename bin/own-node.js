/**
 * Runs a program on the Node that Millrace needs, whatever Node is on the PATH: the one that its `node` dependency
 * brought. Works on old versions too (CommonJS, since early Node 20 loads no `bin/millrace` as a module).
 *
 *   node bin/own-node.js --test …      as `node --test …` on that Node
 */
const { spawn } = require('node:child_process');
const { existsSync } = require('node:fs');
const { constants } = require('node:os');
const path = require('node:path');

const needed = 24;

const isNewEnough = Number.parseInt(process.versions.node, 10) >= needed;

/** The binary to use; undefined when there is none. */
function findNode() {
  const installed = path.join(__dirname, '..', 'node_modules', '.bin', 'node');
  if (existsSync(installed)) return installed;
  return isNewEnough ? process.execPath : undefined;
}

/**
 * Runs Node with these arguments in place of this process: same terminal, its signals, its exit code.
 *
 * @param {readonly string[]} args
 */
function runOnOwnNode(args) {
  const node = findNode();
  if (node === undefined) {
    console.error(`millrace: needs Node ${needed} or newer, and this is ${process.version}. Run \`npm run setup\`, which brings it.`);
    process.exitCode = 1;
    return;
  }
  const child = spawn(node, args, { stdio: 'inherit' });
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C and its own end to the child as well, which would take a second one for impatience.
      if (signal === 'SIGTERM' || !isOnTerminal()) child.kill(signal);
    });
  }
  child.on('error', (error) => {
    console.error(`millrace: ${node} could not be started: ${error.message}`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
  });
}

const isOnTerminal = () => [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY);

module.exports = { isNewEnough, runOnOwnNode };

if (require.main === module) runOnOwnNode(process.argv.slice(2));
