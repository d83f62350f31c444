import type { INodeProperties } from 'n8n-workflow';

import type { Limits } from '../../lib/http/limits';
import { optional } from '../../lib/values';
import { wholeField } from './field-kinds';
import type { NodeParameters } from './parameters';
import { priorityField } from './priority-field';

/** Default retries of a generation. */
export const GENERATION_RETRIES = 2;

/** A field for a limit in seconds; 0 = no limit. */
export function limit(
	displayName: string,
	name: string,
	value: number,
	description: string,
): INodeProperties {
	return {
		displayName,
		name,
		type: 'number',
		typeOptions: { minValue: 0 },
		default: value,
		description,
	};
}

/** Options for the limits of requests that change nothing and are not streamed. */
export const limitFields: INodeProperties[] = [
	limit(
		'First Token Limit (Seconds)',
		'firstTokenLimit',
		1800,
		'How long to wait for the answer to begin, including the queue, loading the model and reading the texts. 0 = no limit.',
	),
	limit(
		'Idle Limit (Seconds)',
		'idleLimit',
		300,
		'How long reading the answer may take once it has begun. 0 = no limit.',
	),
	wholeField('Retries', 'maxRetries', 3, [0, 20], {
		description:
			'Tries after a lost connection, a server that is too busy, or a gateway that cannot reach it. A model that is loading is waited for within the First Token Limit.',
	}),
	priorityField,
	limit('Total Limit (Seconds)', 'totalLimit', 0, 'How long one request may take. 0 = no limit.'),
];

/** Reads the options above, or those of a generation. */
export function readLimits(
	parameters: NodeParameters,
	presetRetries = 3,
): { limits: Partial<Limits>; retries: number } {
	return {
		limits: optional({
			firstTokenMs: parameters.milliseconds('options.firstTokenLimit', undefined),
			idleMs: parameters.milliseconds('options.idleLimit', undefined),
			totalMs: parameters.milliseconds('options.totalLimit', undefined),
		}),
		retries: parameters.number('options.maxRetries', presetRetries),
	};
}
