/** Timeouts of the nodes whose fields are not defined in `lib/fields` yet. */
import type { INodeProperties } from 'n8n-workflow';
import { omitUndefined } from '../../lib/values/records';
import { numberField } from './field-builders';
import type { NodeParameters } from './parameters';
import type { RequestSettings } from './request-options';

export { GENERATION_RETRIES } from './request-options';

/** A field for a timeout in seconds. With a minimum of 0, that is no limit. */
export function secondsField(
	displayName: string,
	name: string,
	value: number,
	description: string,
	minValue = 0,
): INodeProperties {
	return numberField(displayName, name, value, { typeOptions: { minValue }, description });
}

/** Reads the timeouts and retries that the node has. */
export function readRequestSettings(
	parameters: NodeParameters,
	defaultRetries = 3,
): RequestSettings {
	const readTimeout = (name: string) =>
		parameters.milliseconds(`options.${name}Timeout`, undefined);
	return {
		timeouts: omitUndefined({
			firstTokenMs: readTimeout('firstToken'),
			idleMs: readTimeout('idle'),
			totalMs: readTimeout('total'),
		}),
		retries: parameters.number('options.maxRetries', defaultRetries),
	};
}
