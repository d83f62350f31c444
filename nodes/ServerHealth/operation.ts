import type { CheckResult } from '../../lib/health/check';
import type { Target } from '../../lib/health/probes';
import type { NodeOperation } from '../shared/operations';
import type { NodeParameters } from '../shared/parameters';

export type Service = Target['service'];

export interface HealthCall {
	target: Target;
	parameters: NodeParameters;
	signal: AbortSignal;
}

/** What an operation gives: the health of the server, which chooses the output, or results for the first one. */
export type Outcome = { health: CheckResult; failWhenUnhealthy: boolean } | { items: object[] };

export interface HealthOperation extends NodeOperation<HealthCall, Outcome> {
	/** Where it can be chosen. */
	services: readonly Service[];
}
