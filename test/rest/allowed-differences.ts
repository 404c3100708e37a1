/**
 * Where an answer may differ from the recorded one: only where that is plainly broken, and only if what is said here holds
 * instead. Each place stands in docs/compatibility.md, under REST.
 */
import type { Group } from './transcript.ts';

export interface AllowedDifference {
  readonly reason: string;
  readonly group?: Group;
  /** All of the scenario's name. */
  readonly scenario?: RegExp;
  /** `POST /connectors`. */
  readonly request?: RegExp;
  /** The recorded answer. */
  readonly recorded: { readonly status?: number; readonly text?: RegExp };
  /** Every difference is at one of these. */
  readonly at?: RegExp;
  /** The answer; one of 400 or more has the form of Connect's errors. */
  readonly expected: { readonly status: readonly number[]; readonly text?: RegExp };
}

export const allowedDifferences: readonly AllowedDifference[] = [
  {
    reason: 'A null pointer for every refusal of a Debezium configuration. The refusal itself is the contract.',
    recorded: { status: 500, text: /ConfigValueInfo\.errors\(\)/ },
    expected: { status: [400], text: /^Connector configuration is invalid and contains the following \d+ error/ },
  },
  {
    reason: "A body that cannot be read is the client's mistake.",
    recorded: {
      status: 500,
      text: /Cannot deserialize value|Cannot construct instance|Unrecognized field|Unrecognized token|Unexpected character|Unexpected end-of-input|Non-standard token/,
    },
    expected: { status: [400] },
  },
  {
    reason: 'A null pointer where a body, configuration, offsets or level is missing.',
    recorded: { status: 500, text: /^Cannot invoke "/ },
    expected: { status: [400] },
  },
  {
    reason: 'A reference to a file or path that the config provider cannot read is a mistake in the configuration.',
    recorded: { status: 500, text: /Could not read properties from file|Path is not supported for/ },
    expected: { status: [400, 500], text: /read|path/i },
  },
  {
    reason: 'An empty level of a logger is a bad level.',
    recorded: { status: 500, text: /Illegal null or empty Level name/ },
    expected: { status: [400, 404] },
  },
  {
    reason: "Offsets that the connector refuses are the client's mistake.",
    group: 'offsets',
    recorded: {
      status: 500,
      text: /Offsets may only contain|'position' key|Offset objects should|Partition objects should|Failed to modify offsets for sink|Failed to alter consumer group offsets/,
    },
    expected: { status: [400] },
  },
  {
    reason: 'A class that is no plugin is not found.',
    recorded: { status: 500, text: /Instantiation error/ },
    expected: { status: [400, 404] },
  },
  {
    reason: "Validation without a class, or of a plugin that is not there, is the client's mistake.",
    recorded: { status: 500, text: /contains no connector type|Failed to find any class/ },
    expected: { status: [400, 404] },
  },
  {
    reason: "The list of installed connectors is Java's own description of objects.",
    recorded: { status: 400, text: /available connectors are: PluginDesc/ },
    expected: { status: [400], text: /Failed to find any class that implements Connector/ },
  },
  {
    reason: 'Connectors with /, \\ or % in their names are accepted, and can never be asked for or deleted again.',
    group: 'names',
    scenario: /^(?:slash|backslash|percent|PUT with an encoded slash)$/,
    recorded: {},
    expected: { status: [200, 201, 204, 400, 404] },
  },
  {
    reason: 'A refusal without a word of why.',
    group: 'names',
    scenario: /^PUT with a control character$/,
    recorded: { status: 400 },
    expected: { status: [400], text: /String may not contain control sequences/ },
  },
  {
    reason: 'The connector is made, yet the answer is 500: its name is taken for a template of Location.',
    group: 'names',
    recorded: { status: 500, text: /template variable/ },
    expected: { status: [201] },
  },
  {
    reason: "An HTML page of the HTTP server's own for a target that it does not like.",
    recorded: { status: 400, text: /^\s*<html>/ },
    expected: { status: [400, 404, 415] },
  },
  {
    reason: 'Errors that are found while routing carry JSON without saying so.',
    recorded: {},
    at: /^header content-type$/,
    expected: { status: [404, 405, 406, 415] },
  },
  {
    reason: 'tasks.max above 1 is accepted for Debezium, and no task ever runs; the error is in the log alone.',
    group: 'create',
    scenario: /^debezium tasks\.max=2/,
    request: /^POST \/connectors/,
    recorded: {},
    expected: { status: [400] },
  },
  {
    reason: 'The same: what was refused is not there.',
    group: 'create',
    scenario: /^debezium tasks\.max=2/,
    request: /^GET /,
    recorded: {},
    expected: { status: [404] },
  },
  {
    reason: 'An alias of the class is accepted, then the task fails since it does not know the alias.',
    group: 'create',
    scenario: /^alias MySql$/,
    request: /^GET .*\/status$/,
    recorded: {},
    expected: { status: [200], text: /"state":"RUNNING"/ },
  },
  {
    reason: 'Deleting the offsets of a connector with an offset topic of its own times out.',
    group: 'settings',
    recorded: { status: 500, text: /Request timed out/ },
    expected: { status: [200] },
  },
  {
    reason: 'A Debezium connector without database.server.id gets one made of its name, as it does on the command line.',
    group: 'invalid',
    scenario: /^debezium without database\.server\.id$/,
    recorded: {},
    expected: { status: [200, 201] },
  },
  {
    reason: 'The same in a validation.',
    group: 'validate',
    scenario: /^class only$/,
    recorded: {},
    at: /^\$\.(?:error_count|configs\[\d+\].*)$/,
    expected: { status: [200], text: /The 'topic\.prefix' value is invalid: A value is required/ },
  },
  {
    reason: 'There is no schema history in Kafka: what a connector says of it is kept, and nothing fails by it.',
    group: 'invalid',
    scenario: /^debezium (?:without schema\.history\..*|unknown history class)$/,
    request: /^GET /,
    recorded: {},
    expected: { status: [200], text: /"state":"RUNNING"/ },
  },
  {
    reason: 'A null pointer beside the complaint that a property is missing.',
    recorded: { text: /String\.isEmpty\(\)/ },
    expected: { status: [400], text: /contains the following 2 error\(s\)/ },
  },
  {
    reason: 'The same in a validation.',
    group: 'validate',
    scenario: /^transform without its setting$/,
    recorded: {},
    at: /^\$\.(?:error_count|configs\[\d+\]\.value\.errors.*)$/,
    expected: { status: [200], text: /"error_count":2/ },
  },
  {
    reason: 'A predicate that is not declared is accepted, and its task fails.',
    group: 'invalid',
    scenario: /^transform with an undeclared predicate$/,
    recorded: {},
    expected: { status: [400, 404] },
  },
  {
    reason: "What is wrong with a regular expression is said in Millrace's words.",
    recorded: { text: /Invalid regex: |valid regular expressions is expected/ },
    expected: { status: [400], text: /regular expression/ },
  },
  {
    reason: 'The same, in a validation, where Debezium says it twice.',
    group: 'validate',
    scenario: /^bad regex$/,
    recorded: {},
    at: /^\$\.(?:error_count|configs\[\d+\]\.value\.errors.*)$/,
    expected: { status: [200], text: /regular expression/ },
  },
  {
    reason: 'Why a server cannot be reached is said in other words.',
    group: 'validate',
    scenario: /^(?:closed port|wrong password)$/,
    recorded: {},
    at: /^\$\.configs\[\d+\]\.value\.errors\[0\]$/,
    expected: { status: [200], text: /"(?:Error during connection validation|Unable to connect): / },
  },
  {
    reason: 'Topic creation settings without replication factor are accepted, then the connector fails; there are no replicas here.',
    group: 'invalid',
    scenario: /^topic creation .*/,
    request: /^GET /,
    recorded: {},
    expected: { status: [200], text: /"state":"RUNNING"/ },
  },
  {
    reason: 'Exactly-once delivery of sources is given, whatever the worker says.',
    group: 'invalid',
    scenario: /^exactly\.once\.support required$/,
    recorded: {},
    expected: { status: [200, 201] },
  },
  {
    reason: 'A file source without a file reads the standard input of the worker; here it fails and says so.',
    group: 'invalid',
    scenario: /^file is not given to source$/,
    recorded: {},
    expected: { status: [200], text: /needs file and topic/ },
  },
  {
    reason: 'Transformations that Millrace does not have.',
    group: 'plugins',
    scenario: /EventRouter$/,
    recorded: { status: 200 },
    expected: { status: [404] },
  },
  {
    reason: 'A validation shows what a reference stands for; here it shows the reference.',
    group: 'providers',
    scenario: /^inside a longer text$/,
    recorded: {},
    at: /^\$\.configs\[\d+\]\.value\.value$/,
    expected: { status: [200], text: /"rg-\$\{env:GOLDEN_PREFIX\}-/ },
  },
];
