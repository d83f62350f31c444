import type { IBinaryKeyData, IExecuteFunctions } from 'n8n-workflow';

import type { CheckResult } from '../../lib/health/check';
import type { Target } from '../../lib/health/probes';
import type { NodeOperation } from '../shared/run/operations';
import type { NodeParameters } from '../shared/parameters';

export type Service = Target['service'];

export interface HealthCall {
	context: IExecuteFunctions;
	target: Target;
	parameters: NodeParameters;
	signal: AbortSignal;
}

/** What an operation gives: the health of the server, which chooses the output. */
export interface Outcome {
	health: CheckResult;
	failWhenUnhealthy: boolean;
	/** A file about it. */
	binary?: IBinaryKeyData;
}

export interface HealthOperation extends NodeOperation<HealthCall, Outcome> {
	/** Where it can be chosen. */
	services: readonly Service[];
	/** Whether it runs once, for all items together. */
	takesAllItems?(call: Pick<HealthCall, 'parameters'>): boolean;
}
