import type { CheckResult } from '../../lib/health/check';
import type { Target } from '../../lib/health/probes';
import type { Parameters } from './parameters';

/** What an operation has to say: the health of the server, which chooses the output, or results for the first one. */
export type Outcome = { health: CheckResult } | { items: object[] };

export type Operation = (target: Target, parameters: Parameters) => Promise<Outcome>;
