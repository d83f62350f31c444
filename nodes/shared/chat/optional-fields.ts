/** Fields that may be options, which apply only if they are added. */
import type { INodeProperties } from 'n8n-workflow';
import type { ServerError } from '../../../lib/errors/server-error';
import type { NodeParameters } from '../parameters';
import { createEmptyFieldError } from '../parameters';

/**
 * The fields as options, which apply only if they are added.
 *
 * @param unsetText what applies if they are not
 */
export function toOptionFields(
	fields: readonly INodeProperties[],
	defaultValue: string,
	unsetText: string,
): INodeProperties[] {
	const [first, ...dependent] = fields;
	const description = [first!.description, unsetText].filter(Boolean).join(' ');
	return [{ ...first!, default: defaultValue, description }, ...dependent];
}

/** Path of fields: `options.` if they are options, which may not have been added. */
export type Prefix = '' | 'options.';

/** A field must have a value, an option has a default. */
export function readChoice<T extends string>(
	parameters: NodeParameters,
	path: string,
	whenUnset: T,
): T {
	return path.startsWith('options.')
		? parameters.choice<T>(path, whenUnset)
		: parameters.choice<T>(path);
}

/** The error of a field or an option that needs a value. */
export function createEmptyError(parameters: NodeParameters, path: string): ServerError {
	const { label } = parameters.field(path);
	const suggestion = path.startsWith('options.')
		? `Add the option ${label} and fill it in.`
		: undefined;
	return createEmptyFieldError(label, suggestion);
}
