/** What an operation sends: a row for each field, with the option of the node that it comes from. */
import type { ValuePlace } from '../errors/facts';
import type { InputProblem } from '../errors/server-error';
import type { JsonField } from '../fields/field';
import type { JsonRecord } from '../values/records';
import { asRecord } from '../values/records';
import { getOwn } from '../values/own-properties';

/** Why a value is not sent. */
export interface InputIssue {
	title: string;
	suggestion: string;
	/** Default: the value is wrong. */
	inputProblem?: InputProblem;
}

/** The label of the model in every node. */
export const MODEL_LABEL = 'Model';

/** Fields of a request that no option has. */
export const extraBodyField = {
	kind: 'json',
	label: 'Extra Body',
	default: '{}',
	description:
		'JSON object that is merged into the request, for fields that this node does not offer',
} as const satisfies JsonField;

/** A field that an operation sends. */
export interface RequestField {
	/** Name in the API. */
	field: string;
	/** Names on other routes and servers, also those that only messages of servers use. */
	otherNames?: readonly string[];
	/** What servers call parts of the value. What they say about a part is not the limit of the value. */
	parts?: readonly string[];
	/** Label of the option as the nodes show it; undefined: no option, the operation sets the field itself. */
	label: string | undefined;
	/** Whether a server that rejects the field gets the request without it. */
	canOmit: boolean;
	/** What servers do without the field. Its omission with this value changes nothing, so it has no warning. */
	default?: unknown;
	/** Whether users notice nothing if the field is omitted, so that there is no warning. */
	isTechnical?: true;
	/**
	 * What to do about a rejected value, if more is known than that it has to be changed; undefined for a value about which
	 * nothing is known.
	 */
	getAdvice?(value: unknown): string | undefined;
	/** What is wrong with a value that is not sent at all. */
	getInputIssue?(value: unknown): InputIssue | undefined;
}

/** The fields of a request. */
export interface RequestFields {
	rows: readonly RequestField[];
	/** Fields that the user added. They override the others, and are never adapted. */
	extraBody?: JsonRecord;
}

/** A field that a server names, and what users know it as. */
export interface NamedField {
	/** The name in the body. */
	name: string;
	/** Undefined for a field of Extra Body. */
	row: RequestField | undefined;
}

/** The name of a field without the mark of a list in a form. */
function toPlainName(name: string) {
	return name.replace(/\[\]$/, '');
}

/** What to do about a rejected duration. */
export function adviseDuration(label: string): string {
	return `Set "${label}" to a duration such as 30m or 2h.`;
}

/** All names of a row. */
export function getNames({ field, otherNames = [] }: RequestField): readonly string[] {
	return [field, ...otherNames];
}

/** Ollama's options are in a field of their own. */
function getExtraNames(extraBody: JsonRecord = {}) {
	return [...Object.keys(extraBody), ...Object.keys(asRecord(extraBody.options))];
}

/**
 * Finds the field that a server names.
 *
 * @param path - The first known segment counts: what follows is inside of the field, what precedes it is around all.
 */
export function findField(
	{ rows, extraBody }: RequestFields,
	path: readonly string[],
): NamedField | undefined {
	const extraNames = getExtraNames(extraBody);
	for (const segment of path.map(toPlainName)) {
		const extraName = extraNames.find((name) => toPlainName(name) === segment);
		if (extraName !== undefined) return { name: extraName, row: undefined };
		const row = rows.find((candidate) =>
			[...getNames(candidate), ...(candidate.parts ?? [])].map(toPlainName).includes(segment),
		);
		if (row) return { name: segment, row };
	}
	return undefined;
}

/** What users know a field as; undefined for a field that the operation sets itself. */
export function getLabel({ name, row }: NamedField): string | undefined {
	return row ? row.label : `${name} (${extraBodyField.label})`;
}

/** Where the node has the value of a field with a label. */
export function getPlace({ name, row }: NamedField): ValuePlace {
	return row ? { label: row.label ?? '' } : { label: extraBodyField.label, entry: name };
}

/** The names of a field that a body contains. */
export function getSentNames({ name, row }: NamedField, body: JsonRecord): string[] {
	const names = row ? getNames(row) : [name];
	return names.filter((candidate) => Object.hasOwn(body, candidate));
}

/** The value of a field as it was sent, also inside of Ollama's options. */
export function getSentValue(field: NamedField, body: JsonRecord): unknown {
	const options = asRecord(body.options);
	const places = [body, options].map((place) => ({
		place,
		names: getSentNames(field, place),
	}));
	const found = places.find(({ names }) => names.length > 0);
	return found && getOwn(found.place, found.names[0]!);
}
