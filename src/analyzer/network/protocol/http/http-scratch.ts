import type { HeadBudget } from './partial-head.ts';
import type { RequestHead } from './request-head.ts';
import type { ResponseHead } from './response-head.ts';
import type { StatusTexts } from './status-texts.ts';

/** What all connections of one analyzer share: but for the budget, it is filled and read within one call. */
export interface HttpScratch {
  readonly request: RequestHead;
  readonly response: ResponseHead;
  readonly heads: HeadBudget;
  readonly statuses: StatusTexts;
}
