/** Checks and converts the values of fields. The editor limits typed values, but an expression may return any type. */
import type { INodeProperties, INodePropertyCollection, INodePropertyOptions } from 'n8n-workflow';

import { invalidInput } from '../../lib/errors/failure';
import type { ServerError } from '../../lib/errors/server-error';
import { ANY_NUMBER, isInRange, rangeInWords, type NumberRange } from '../../lib/ranges';
import { booleanOf, isRecord, messageOf, shortened } from '../../lib/values';

/** A field as errors and checks see it. */
export interface Field {
	/** The label in the editor. */
	label: string;
	/** Range of a number. Default: any. */
	range?: NumberRange;
	/** Whether a number loses its fraction: expressions easily give one, and servers refuse it. */
	whole?: boolean;
	/** Values of a choice. */
	choices?: readonly unknown[];
}

const MAX_SHOWN_LENGTH = 100;

/**
 * A field of a node's description.
 *
 * @param path names from the outside in: `timeout`, `options.timeout`, `files.file.source`
 */
export function fieldAt(
	properties: readonly INodeProperties[],
	path: string,
): Field & { property: INodeProperties } {
	const sameNamed = propertiesAt(properties, path.split('.'));
	const [property] = sameNamed;
	if (property === undefined) throw new Error(`The node has no field ${path}`);
	const { minValue = -Infinity, maxValue = Infinity, numberPrecision } = property.typeOptions ?? {};
	return {
		property,
		label: property.displayName,
		range: [minValue, maxValue],
		whole: numberPrecision === 0,
		// The same field may occur more than once, for example with other choices for each resource.
		choices: [
			...new Set(
				sameNamed.flatMap(({ options = [] }) => options.filter(isChoice).map(({ value }) => value)),
			),
		],
	};
}

function propertiesAt(
	properties: readonly INodeProperties[],
	[name, ...rest]: string[],
): INodeProperties[] {
	const sameNamed = properties.filter((property) => property.name === name);
	if (rest.length === 0) return sameNamed;
	return sameNamed.flatMap(({ type, options = [] }) => {
		if (type === 'collection') return propertiesAt(options as INodeProperties[], rest);
		const group = (options as INodePropertyCollection[]).find((one) => one.name === rest[0]);
		return propertiesAt(group?.values ?? [], rest.slice(1));
	});
}

function isChoice(option: object): option is INodePropertyOptions {
	return 'value' in option;
}

/** Whether nothing was typed, or an expression returned nothing. */
export function isBlank(value: unknown): value is undefined | null | '' {
	return value === undefined || value === null || value === '';
}

/** @throws {ServerError} of kind `invalidInput` naming the field, as all of these functions do */
export function asNumber(
	{ label, range = ANY_NUMBER, whole = false }: Field,
	value: unknown,
): number {
	const isNumeric = typeof value === 'number' || (typeof value === 'string' && value.trim() !== '');
	const number = isNumeric ? Number(value) : NaN;
	if (!isInRange(number, range)) throw wrongValue(label, rangeInWords(range), value);
	return whole ? Math.trunc(number) : number;
}

/** A boolean, also from the texts and numbers that forms and tables use. */
export function asSwitch({ label }: Field, value: unknown): boolean {
	const isOn = booleanOf(value);
	if (isOn === undefined) throw wrongValue(label, 'true or false', value);
	return isOn;
}

/** A choice. Others are an error: they would silently mean the default. */
export function asChoice<T extends string>({ label, choices = [] }: Field, value: unknown): T {
	if (!choices.includes(value)) throw wrongValue(label, `one of ${choices.join(', ')}`, value);
	return value as T;
}

/** A text; numbers are converted, since an expression returns a name of digits as a number. */
export function asText({ label }: Field, value: unknown): string {
	if (typeof value === 'string') return value;
	if (typeof value !== 'number') throw wrongValue(label, 'a text', value);
	return String(value);
}

/** An object, or JSON text of one. */
export function asObject({ label }: Field, value: unknown): Record<string, unknown> {
	const parsed = typeof value === 'string' ? parsedJson(label, value) : value;
	if (!isRecord(parsed)) throw wrongField(label, 'must be a JSON object');
	return parsed;
}

function parsedJson(label: string, text: string): unknown {
	try {
		return JSON.parse(text.trim() === '' ? '{}' : text) as unknown;
	} catch (error) {
		throw wrongField(label, `is not valid JSON: ${messageOf(error)}`);
	}
}

function wrongValue(label: string, expected: string, value: unknown): ServerError {
	return wrongField(label, `must be ${expected}, but is ${shown(value)}`);
}

/** @param what continues the sentence after the field: "is empty" */
export function wrongField(
	label: string,
	what: string,
	remedy = 'Correct the field in the node.',
): ServerError {
	return invalidInput(`The field "${label}" ${what}`, remedy);
}

/** A value as an error quotes it: JSON, cut off where it is long. */
export function shown(value: unknown): string {
	return shortened(asJson(value) ?? String(value), MAX_SHOWN_LENGTH);
}

function asJson(value: unknown): string | undefined {
	try {
		return JSON.stringify(value);
	} catch {
		// A circular object, or a number too large for JSON.
		return typeof value === 'object' ? 'an object' : undefined;
	}
}
