import { suggest } from '../config/suggest.ts';
import type { Feature } from './status.ts';

/** A feature that can be switched while the program runs. */
export interface Switch {
  readonly name: string;
  isOn(): boolean;
  /** Why it cannot be switched here; null if it can. */
  readonly obstacle?: () => string | null;
  set(on: boolean): Promise<void> | void;
}

export interface SwitchableFeature extends Feature {
  readonly switchable: boolean;
}

export type SwitchResult =
  | { readonly ok: true }
  /** 400 no such feature, 409 it cannot be switched here, 501 this build lacks it. */
  | { readonly ok: false; readonly status: 400 | 409 | 501; readonly error: string };

export interface Switches {
  /** The features as they are now: those of the parts, with what was switched since. */
  features(given: readonly Feature[]): Feature[];
  /** All of `features` and what only exists as a name, with whether it can be switched. */
  list(given: readonly Feature[]): SwitchableFeature[];
  /** Switches all of them, or none if one of them cannot be. Calls wait for each other. */
  set(wanted: ReadonlyMap<string, boolean>, given: readonly Feature[]): Promise<SwitchResult>;
}

const NOT_IN_BUILD = 'not in this build yet';
const ANSWER_HELP = 'PUT /features switches it on.';

/** @param absent names of what is planned and in no list of features */
export function createSwitches(switches: readonly Switch[], absent: readonly string[]): Switches {
  let last: Promise<unknown> = Promise.resolve();
  const features = (given: readonly Feature[]): Feature[] =>
    given.map((feature) => {
      const found = switches.find(({ name }) => name === feature.name);
      return found === undefined ? feature : asSwitched(feature, found.isOn());
    });
  const refusal = (name: string, given: readonly Feature[]): SwitchResult => {
    const found = switches.find((one) => one.name === name);
    const obstacle = found?.obstacle?.() ?? null;
    if (found !== undefined) {
      return obstacle === null
        ? { ok: true }
        : { ok: false, status: 409, error: `${name} cannot be switched: ${obstacle}` };
    }
    const feature = given.find((one) => one.name === name);
    if (absent.includes(name) || feature?.reason === NOT_IN_BUILD) {
      return { ok: false, status: 501, error: `${name} is ${NOT_IN_BUILD}` };
    }
    if (feature !== undefined) {
      return { ok: false, status: 409, error: `${name} cannot be switched while the program runs` };
    }
    const known = [...switches.map((one) => one.name), ...given.map((one) => one.name), ...absent];
    const meant = suggest(name, known);
    const help = meant === undefined ? `there are ${[...new Set(known)].join(', ')}` : `did you mean ${meant}?`;
    return { ok: false, status: 400, error: `there is no feature ${JSON.stringify(name.slice(0, 64))}; ${help}` };
  };
  const apply = async (wanted: ReadonlyMap<string, boolean>, given: readonly Feature[]): Promise<SwitchResult> => {
    for (const name of wanted.keys()) {
      const result = refusal(name, given);
      if (!result.ok) {
        return result;
      }
    }
    for (const one of switches) {
      const on = wanted.get(one.name);
      if (on !== undefined && on !== one.isOn()) {
        await one.set(on);
      }
    }
    return { ok: true };
  };
  return {
    features,
    list: (given) => {
      const named = new Set(given.map(({ name }) => name));
      const planned = absent.filter((name) => !named.has(name));
      return [
        ...features(given),
        ...planned.map((name): Feature => ({ name, state: 'off', reason: NOT_IN_BUILD, remedy: null })),
      ].map((feature) => {
        const found = switches.find(({ name }) => name === feature.name);
        return Object.assign({}, feature, { switchable: found !== undefined && (found.obstacle?.() ?? null) === null });
      });
    },
    set(wanted, given) {
      const result = last.then(() => apply(wanted, given));
      last = result.catch(() => undefined);
      return result;
    },
  };
}

function asSwitched(feature: Feature, on: boolean): Feature {
  if ((feature.state === 'on') === on) {
    return feature;
  }
  return on
    ? { name: feature.name, state: 'on', reason: null, remedy: null }
    : { name: feature.name, state: 'off', reason: 'switched off', remedy: ANSWER_HELP };
}
