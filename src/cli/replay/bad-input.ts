import { safeText } from '../view/text.ts';

/** Names what of the input could not be used, up to a bound. */
export interface BadInput {
  /** @param place file, and line or byte */
  report(place: string, reason: string): void;
  /** Tells how many were not named. */
  end(): void;
  readonly count: number;
}

/** Bad parts beyond these are only counted. */
const NAMED = 100;

/** @param write writes to standard error */
export function createBadInput(write: (text: string) => void): BadInput {
  let count = 0;
  return {
    get count() {
      return count;
    },
    report(place, reason) {
      count += 1;
      if (count <= NAMED) {
        write(`sonde: ${safeText(`${place}: ${reason}`)}\n`);
      }
    },
    end() {
      if (count > NAMED) {
        write(`sonde: and ${count - NAMED} more bad lines\n`);
      }
    },
  };
}
