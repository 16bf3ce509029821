import { SondeError } from '../../model/errors.ts';
import { HeaderError } from '../../recording/header.ts';
import { openRecording } from '../../recording/reader.ts';
import type { Damage, OpenRecording } from '../../recording/reader.ts';
import type { BadInput } from './bad-input.ts';
import type { ReplayInput } from './input.ts';

/** One file of a recording, its header read. */
export interface RecordingPart {
  readonly name: string;
  readonly recording: OpenRecording;
  readonly onDamage: (damage: Damage) => void;
}

/**
 * Reads the headers, and puts together the files that are one recording: in the order in which they were written,
 * whatever order they are named in.
 *
 * @throws SondeError SONDE_FORMAT
 */
export async function openRecordings(inputs: readonly ReplayInput[], bad: BadInput): Promise<RecordingPart[][]> {
  const byId = new Map<string, RecordingPart[]>();
  for (const input of inputs) {
    const onDamage = ({ offset, reason, records }: Damage): void => {
      bad.report(`${input.name}: byte ${offset}`, records === null ? reason : `${reason}; ${records} records are lost`);
    };
    const part = { name: input.name, recording: await openOne(input, onDamage), onDamage };
    const id = part.recording.header.recording;
    byId.set(id, [...(byId.get(id) ?? []), part]);
  }
  return [...byId.values()].map((parts) => inOrder(parts, bad));
}

function inOrder(parts: readonly RecordingPart[], bad: BadInput): RecordingPart[] {
  const sorted = parts.toSorted((one, other) => one.recording.header.part - other.recording.header.part);
  for (const [i, part] of sorted.entries()) {
    const number = part.recording.header.part;
    const before = i === 0 ? 0 : sorted[i - 1].recording.header.part;
    if (number === before) {
      throw new SondeError('SONDE_USAGE', {
        detail: `${part.name} is part ${number} of its recording, as ${sorted[i - 1].name} is`,
        remedy: 'Give each file once.',
      });
    }
    if (number > before + 1) {
      bad.report(part.name, `it is part ${number} of its recording; what is in the parts before it is not known`);
    }
  }
  return sorted;
}

async function openOne(input: ReplayInput, onDamage: (damage: Damage) => void): Promise<OpenRecording> {
  try {
    return await openRecording(input.bytes(), onDamage);
  } catch (error) {
    if (!(error instanceof HeaderError)) {
      throw error;
    }
    throw new SondeError('SONDE_FORMAT', {
      detail: `${input.name} cannot be replayed: ${error.message}`,
      remedy: 'Give a whole recording, made by this version of Sonde or an older one.',
      cause: error,
    });
  }
}
