/** Something that is started and stopped with the pipeline. */
export interface Component {
  readonly name: string;
  start?(): Promise<void> | void;
  /** Also called when `start` failed half-way or was never reached after construction. */
  stop?(): Promise<void> | void;
}

export interface LifecycleOptions {
  /** In the order in which data meets them: receiver first, exporters last. */
  readonly components: readonly Component[];
  /** How long one component may take to stop, ms. Default 5,000. */
  readonly stopTimeoutMs?: number;
  /** Told of what failed while stopping. */
  readonly onStopError?: (component: string, error: unknown) => void;
}

/** Starts exporters before what feeds them, and stops the other way round: nothing is ever sent to what is not there. */
export interface Lifecycle {
  /** Starts from the exporters to the receiver; on failure everything is stopped again. @throws what a component threw */
  start(): Promise<void>;
  /** Stops from the receiver to the exporters, whatever fails on the way. Calling it again returns the same promise. */
  stop(): Promise<void>;
}

const STOP_TIMEOUT_MS = 5000;

export function createLifecycle(options: LifecycleOptions): Lifecycle {
  const { components, stopTimeoutMs = STOP_TIMEOUT_MS, onStopError = () => {} } = options;
  let stopping: Promise<void> | undefined;

  const stopAll = async (): Promise<void> => {
    for (const component of components) {
      try {
        await within(stopTimeoutMs, component);
      } catch (error) {
        onStopError(component.name, error);
      }
    }
  };

  const stop = (): Promise<void> => {
    stopping ??= stopAll();
    return stopping;
  };

  return {
    async start() {
      try {
        for (const component of components.toReversed()) {
          await component.start?.();
        }
      } catch (error) {
        await stop();
        throw error;
      }
    },
    stop,
  };
}

async function within(ms: number, component: Component): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${component.name} did not stop within ${ms} ms`)), ms);
  });
  try {
    await Promise.race([component.stop?.(), late]);
  } finally {
    clearTimeout(timer);
  }
}
