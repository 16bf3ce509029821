/** Names of the values of the kernel's enums, by number; undefined where this kernel has none. */
export type EnumNames = (enumeration: 'skb_drop_reason' | 'sk_rst_reason', value: number) => string | undefined;

const PREFIX = { skb_drop_reason: 'SKB_DROP_REASON_', sk_rst_reason: 'SK_RST_REASON_' } as const;

/**
 * The label `reason` of a number in a record: the kernel's own name in lower case without what all of them start
 * with, the number where this kernel tells no names.
 */
export function reasonName(names: EnumNames, enumeration: keyof typeof PREFIX, value: number): string {
  const name = names(enumeration, value);
  return name === undefined ? String(value) : name.replace(PREFIX[enumeration], '').toLowerCase();
}
