import { reportServices } from '../../control/services.ts';
import type { Status } from '../../control/status.ts';
import type { SeriesSource } from '../../model/series.ts';
import type { ViewSource } from './source.ts';

export interface LocalSourceOptions {
  readonly name: string;
  readonly remark: string;
  readonly store: SeriesSource;
  readonly status: () => Status;
  readonly follow: ViewSource['follow'];
}

/** The probe in this process. */
export function createLocalSource({ name, remark, store, status, follow }: LocalSourceOptions): ViewSource {
  return {
    name,
    remark,
    async read() {
      const snapshot = store.snapshot();
      try {
        return { services: reportServices(snapshot), status: status() };
      } finally {
        snapshot.release();
      }
    },
    follow,
    close() {},
  };
}
