import type { ConfigNotice, ConfigProblem } from '../config/config-def.ts';
import type { SnapshotMode } from './source-config.ts';

const property = 'snapshot.mode';
const partsPrefix = 'snapshot.mode.configuration.based.';

/** Undefined: it is none of those that work, which `snapshotModeProblem` explains. */
export function readSnapshotMode(text: string, properties: Readonly<Record<string, string>>): SnapshotMode | undefined {
  const mode = text.toLowerCase();
  switch (mode) {
    case 'initial':
    case 'initial_only':
    case 'no_data':
    case 'when_needed':
    case 'always':
    case 'recovery':
      return mode;
    case 'schema_only':
    case 'never':
      return 'no_data';
    case 'schema_only_recovery':
      return 'recovery';
    case 'configuration_based':
      return modeOfParts(properties);
    default:
      return undefined;
  }
}

/** `snapshot.mode.configuration.based.*`, which all are false by default. Source: ConfigurationBasedSnapshotter. */
function modeOfParts(properties: Readonly<Record<string, string>>): SnapshotMode | undefined {
  const part = (name: string): boolean => properties[partsPrefix + name]?.trim().toLowerCase() === 'true';
  if (!part('start.stream')) return part('snapshot.data') ? 'initial_only' : undefined;
  if (!part('snapshot.data')) return 'no_data';
  return part('snapshot.on.data.error') ? 'when_needed' : 'initial';
}

export function snapshotModeProblem(mode: string, properties: Readonly<Record<string, string>>): ConfigProblem | undefined {
  if (readSnapshotMode(mode, properties) !== undefined) return undefined;
  if (mode.toLowerCase() === 'configuration_based') {
    const text = `${property}=configuration_based asks for neither rows nor the stream: set ${partsPrefix}snapshot.data or ${partsPrefix}start.stream.`;
    return { property, text, unsupported: false };
  }
  if (mode.toLowerCase() === 'custom') {
    const text = `${property}=${mode} is not supported. Plugins of Debezium cannot be loaded. Use another mode, or configuration_based.`;
    return { property, text, unsupported: true };
  }
  return {
    property,
    text: `${property}: "${mode}" must be one of initial, initial_only, no_data, when_needed, always, recovery, configuration_based.`,
    unsupported: false,
  };
}

/** What there is to say of how the user wants tables to be locked, and which snapshot. */
export function snapshotNotices(mode: string, locking: string): readonly ConfigNotice[] {
  const notices: ConfigNotice[] = [];
  if (mode.toLowerCase() === 'never') {
    notices.push({
      property,
      level: 'warning',
      text: `${property}=never is taken as no_data: the stream begins where the server is now, not at the beginning of its binlog.`,
    });
  }
  const mildModes = ['minimal', 'none'];
  if (!mildModes.includes(locking.toLowerCase())) {
    notices.push({
      property: 'snapshot.locking.mode',
      level: 'info',
      text: `snapshot.locking.mode=${locking} is taken as minimal: a view of the tables at an exact position needs no lock while they are read.`,
    });
  }
  return notices;
}
