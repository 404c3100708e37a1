/** The subcommands of `millrace connectors`. */
import { Command, Option } from 'commander';
import { initialStates } from '../worker/connect-service.ts';
import type { ConnectorsOptions, CreateOptions, OffsetsOptions, RestartOptions } from './connectors-command.ts';

export function createConnectorsProgram(examples: (...lines: readonly (readonly [command: string, why?: string])[]) => string): Command {
  const program = new Command('connectors')
    .summary('connectors of a worker, over its REST API')
    .description(
      "Lists, makes, changes and deletes the connectors of a worker: `millrace worker`, or Kafka Connect's own.\nExit codes: 0 done; 1 refused, or (status) failed; 2 no worker, wrong usage or configuration.",
    )
    .addHelpText(
      'after',
      examples(
        ['millrace connectors list'],
        ['millrace connectors create source.json sink.json'],
        ['millrace connectors status shop'],
        ['millrace connectors restart shop --tasks --only-failed'],
        ['millrace connectors offsets shop --json > offsets.json', 'and --set offsets.json on a stopped one'],
        ['millrace connectors list --url http://user:password@db7:8083 --json'],
      ),
    );
  add(program, 'list', 'names, types and states').action(async (options: ConnectorsOptions) =>
    (await import('./connectors-command.ts')).listConnectors(options),
  );
  add(program, 'create <file...>', 'of connector files, references in them unresolved')
    .addOption(
      new Option('--state <state>', "initial state, in the place of the files' own").choices([...initialStates]).conflicts('replace'),
    )
    .option('--replace', 'also where there is one of this name: it gets this configuration')
    .action(async (files: string[], options: CreateOptions) => (await import('./connectors-command.ts')).createConnectors(files, options));
  add(program, 'status <name>', 'states, and why something failed').action(async (name: string, options: ConnectorsOptions) =>
    (await import('./connectors-command.ts')).showStatus(name, options),
  );
  for (const [what, summary] of [
    ['pause', 'nothing is read or written until resume'],
    ['resume', 'paused or stopped ones run again'],
    ['stop', 'ends the tasks; offsets can be set'],
    ['delete', 'ends and forgets them; replicas and offsets stay'],
  ] as const) {
    add(program, `${what} <name...>`, summary).action(async (names: string[], options: ConnectorsOptions) =>
      (await import('./connectors-command.ts')).changeConnectors(what, names, options),
    );
  }
  add(program, 'restart <name>', 'starts the connector anew')
    .option('--tasks', 'its tasks, too')
    .option('--only-failed', 'only what has failed')
    .action(async (name: string, options: RestartOptions) => (await import('./connectors-command.ts')).restartConnector(name, options));
  add(program, 'offsets <name>', 'where it is; of a stopped one: set or reset')
    .addOption(new Option('--set <file>', 'sets the offsets of a file: {"offsets": [{"partition", "offset"}]}').conflicts('reset'))
    .option('--reset', 'forgets all: a source begins anew, with a snapshot')
    .action(async (name: string, options: OffsetsOptions) => (await import('./connectors-command.ts')).showOffsets(name, options));
  for (const command of program.commands) command.exitOverride();
  return program;
}

function add(program: Command, usage: string, summary: string): Command {
  return program
    .command(usage)
    .description(summary)
    .addOption(new Option('--url <address>', 'of the REST API').default('http://127.0.0.1:8083'))
    .option('--json', 'as JSON');
}
