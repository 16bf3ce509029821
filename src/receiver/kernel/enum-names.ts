import { loadAddon } from './addon.ts';

type Names = Readonly<Record<number, string>> | undefined;

/**
 * Gives the names that the running kernel has for the values of its enumerations; undefined where it tells none. An
 * enumeration is read once, on first use.
 */
export function createEnumNames(
  read: (enumeration: string) => Names = (enumeration) => loadAddon().kernelEnum(enumeration),
): (enumeration: string, value: number) => string | undefined {
  const known = new Map<string, Names>();
  return (enumeration, value) => {
    if (!known.has(enumeration)) known.set(enumeration, tryRead(read, enumeration));
    return known.get(enumeration)?.[value];
  };
}

/** A kernel without type information has numbers all the same. */
function tryRead(read: (enumeration: string) => Names, enumeration: string): Names {
  try {
    return read(enumeration);
  } catch {
    return undefined;
  }
}
