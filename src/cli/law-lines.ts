import type { Stage } from '../model/law.ts';

/**
 * One line for each stage of the law, for people and scripts:
 * `law stage=hook produced=8 delivered=7 in_flight=0 dropped=1 skipped=1 dropped.ring_full=1 skipped.peek=1`.
 * Reasons that never happened are left out.
 */
export function lawLines(stages: readonly Stage[]): string[] {
  return stages.map((stage) => {
    const { produced, delivered, inFlight, dropped, skipped } = stage.read();
    const fields = [
      `produced=${produced}`,
      `delivered=${delivered}`,
      `in_flight=${inFlight}`,
      `dropped=${sum(dropped)}`,
      `skipped=${sum(skipped)}`,
      ...reasons('dropped', dropped),
      ...reasons('skipped', skipped),
    ];
    return `law stage=${stage.name} ${fields.join(' ')}`;
  });
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

function reasons(kind: string, counts: Readonly<Record<string, number>>): string[] {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([reason, count]) => `${kind}.${reason}=${count}`);
}
