/** How long Ollama keeps a model in memory. */
import { checkPlainText } from './check-value';
import type { NameField, ValueSource } from './field';
import { createOptionError, quoteValue } from './field-errors';

/** The option of every request that Ollama answers. */
export const keepAliveField = {
	kind: 'name',
	label: 'Keep Alive',
	placeholder: 'e.g. 30m',
	description:
		'How long Ollama keeps the model in memory: a duration such as 30m, a number of seconds, or -1 to keep it loaded. Ollama only.',
	parse: parseKeepAlive,
} as const satisfies NameField;

/** Go's form of a duration, which Ollama reads: `5m`, `1h30m`, `-1m`. */
const DURATION =
	/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h)(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))*$/;

/**
 * Ollama accepts a number of seconds, or a duration with a unit as text, and rejects "120" (seen with 0.17.4).
 *
 * @returns undefined for a blank text.
 * @throws {ServerError} of type `invalidInput` naming the field
 */
export function parseKeepAlive(
	value: unknown,
	field: Pick<ValueSource, 'label'>,
): string | number | undefined {
	const text = checkPlainText(field, value).trim();
	if (text === '') return undefined;
	const seconds = /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : NaN;
	if (Number.isFinite(seconds)) return seconds;
	if (DURATION.test(text)) return text;
	throw createOptionError(
		field,
		`must be a number of seconds, or a duration such as 30m or 1h30m, but is ${quoteValue(text)}`,
	);
}
