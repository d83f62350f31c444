import type { INodeProperties } from 'n8n-workflow';

import { createInputError } from '../../lib/errors/create-error';
import {
	booleanField,
	optionsCollection,
	integerField,
	stringField,
} from '../shared/field-builders';
import { type NodeParameters, isUnset, quoteValue } from '../shared/parameters';
import { parseJson } from '../../lib/json';
import { asRecord, withoutEnds } from '../../lib/values';
import type { ModelTask } from '../../lib/servers/types/server-type';
import type { TaskSettings } from '../../lib/tasks/run-task';
import { requestFields } from '../shared/chat/generation-fields';
import { GENERATION_RETRIES, secondsField, readRequestSettings } from '../shared/timeout-fields';
import { withResolvedModel } from '../shared/resolve-model';
import type { LlamaCall } from './operation';

/** For operations that can stream their text to a chat. */
export const streamingField = booleanField(
	'Enable Streaming',
	'enableStreaming',
	true,
	'Whether to stream the text to the chat if the trigger of the workflow responds with streaming. Items are then processed one after another.',
);

/**
 * Options field of an operation that runs per item.
 *
 * @param concurrency default of Max Concurrent Items
 */
export function createOptionsField(
	options: readonly INodeProperties[],
	concurrency = 4,
): INodeProperties {
	const concurrencyField = integerField(
		'Max Concurrent Items',
		'maxConcurrentItems',
		concurrency,
		[1, 64],
		'How many items to process at the same time; use the number of server slots. The item order is preserved. Expressions are evaluated for the first item only.',
	);
	return optionsCollection([...options, concurrencyField]);
}

/**
 * Finds the option that replaces a field of the panel; undefined if none was added.
 *
 * @throws {ServerError} `invalidInput` if several were added
 */
export function findReplacement<Name extends string>(
	parameters: NodeParameters,
	names: readonly Name[],
): Name | undefined {
	const [name, ...others] = names.filter((option) => parameters.hasOption(option));
	if (others.length === 0) return name;
	const labels = names.map((option) => `"${parameters.field(`options.${option}`).label}"`);
	throw createInputError(
		`The options ${labels.join(' and ')} cannot be combined`,
		'Remove one of the two options.',
	);
}

/** Reads the rows of a form, or the entries of the list that replaces it, with the label of that field. */
export function readRows(
	parameters: NodeParameters,
	form: string,
	listOption: string,
): { rows: unknown[]; label: string } {
	const path = `options.${listOption}`;
	if (parameters.hasOption(listOption))
		return { rows: readList(parameters, path), label: parameters.field(path).label };
	const value = parameters.value(form);
	const rows = Array.isArray(value) ? (value as unknown[]) : Object.values(asRecord(value)).flat();
	return { rows, label: parameters.field(form).label };
}

/**
 * Reads the entries of a list field: an array, JSON text of one, names separated by commas, semicolons or line breaks, or
 * a single entry.
 *
 * @throws {ServerError} `invalidInput` for text that begins like an array but is not valid
 */
function readList(parameters: NodeParameters, path: string): unknown[] {
	const value = parameters.value(path);
	if (isUnset(value)) return [];
	if (Array.isArray(value)) return value as unknown[];
	if (typeof value !== 'string') return [value];
	const text = value.trim();
	if (!text.startsWith('[')) return splitQuotedNames(text);
	const parsed = parseJson(text);
	if (!Array.isArray(parsed))
		throw parameters.createError(
			path,
			`starts like a JSON array but is not valid: ${quoteValue(text)}`,
		);
	return parsed as unknown[];
}

/** Splits a text into names, without the quotes around them. */
function splitQuotedNames(text: string): string[] {
	return text
		.split(/[,;\r\n，；、]/)
		.map((name) => withoutEnds(name, /[\s"“]/, /[\s"”]/))
		.filter((name) => name !== '');
}

/** Options of image and audio operations: additional fields, timeout, retries. */
export const mediaFields = [
	...requestFields.filter(({ name }) => name === 'extraBody' || name === 'priority'),
	secondsField(
		'First Token Timeout (Seconds)',
		'firstTokenTimeout',
		1800,
		'How long to wait until the server starts to respond: it sends nothing while it processes an image or a recording. 0 = no limit.',
	),
	{
		...requestFields.find(({ name }) => name === 'maxRetries')!,
		description:
			'How often to retry after a refused connection or when the server is busy. A request that the server may have started is never sent again.',
	},
];

/** Reads these options and the model. */
export async function readMediaSettings(call: LlamaCall, task: ModelTask): Promise<TaskSettings> {
	const { parameters, server, priority, signal } = call;
	const requestSettings = readRequestSettings(parameters, GENERATION_RETRIES);
	const settings = { model: parameters.string('model'), ...requestSettings, priority, signal };
	return await withResolvedModel(settings, server, task, signal);
}

/** Field for the name of the input binary field. */
export function inputFileField(description: string): INodeProperties {
	return stringField('Input Binary Field', 'binaryPropertyName', {
		required: true,
		default: 'data',
		hint: 'The name of the input binary field that contains the file',
		description,
	});
}

export function fileNameField(defaultValue: string): INodeProperties {
	return stringField('File Name', 'fileName', {
		default: defaultValue,
		description: 'Without extension; the extension follows from the file type',
	});
}
