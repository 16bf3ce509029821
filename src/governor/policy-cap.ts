/** The policy that a connection gets, of what the analyzer wishes for it. */
export type PolicyCap = (connection: { readonly index: number; readonly generation: number }, wished: number) => number;

/** Where the governor acts. */
export interface CappedPolicies {
  /** From here on policies go through this; applied at once to all connections. Undefined: as wished. */
  setCap(cap: PolicyCap | undefined): void;
}
