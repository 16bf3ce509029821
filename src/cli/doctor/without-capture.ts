import type { Configuration } from '../../config/schema.ts';
import type { Feature } from '../../control/status.ts';
import { pipelineFeatures } from '../../pipeline/features.ts';
import { planFeatures } from '../../receiver/kernel/features.ts';

/** The features as `sonde run` would list them, where nothing can be captured. */
export function featuresWithout(capture: Feature, configuration: Configuration): Feature[] {
  const { analyzers, capture: captured } = configuration;
  const { queue_time: queueTime, udp } = captured;
  const planned = planFeatures({ queueTime, udp, tcp: analyzers.tcp.enabled }, () => true).features;
  return [
    capture,
    { name: 'payload', state: 'off', reason: 'capture is impossible', remedy: null },
    ...planned.map(
      (feature): Feature =>
        feature.state === 'on'
          ? { name: feature.name, state: 'off', reason: 'capture is impossible', remedy: null }
          : feature,
    ),
    ...pipelineFeatures(configuration),
  ];
}
