import type {
	ICredentialDataDecryptedObject,
	IExecuteFunctions,
	IBinaryKeyData,
	INodeProperties,
} from 'n8n-workflow';
import { isToolType } from 'n8n-workflow';
import * as workflow from 'n8n-workflow';
import type { Usage } from '../../lib/chat/types';
import type { Priority } from '../../lib/http/queue';
import type { ModelServer, ModelTask } from '../../lib/servers/types/server-type';
import { isSameForEachItem } from '../../lib/servers/credential';
import { createModelServer } from '../../lib/servers/endpoint';
import { NodeParameters, quoteValue } from '../shared/parameters';
import {
	readPriority,
	GENERATION_RETRIES,
	secondsField,
	readRequestSettings,
} from '../shared/timeout-fields';
import type { Operation, OperationCall, OperationItem } from '../shared/run/operations';
import type { RunOperationsOptions } from '../shared/run/run-operations';
import { runOperations } from '../shared/run/run-operations';
import { omitEmpty, omitUndefined, asRecord, isUnset } from '../../lib/values/records';
import { parseJson } from '../../lib/values/json';
import { tryOrUndefined } from '../../lib/values/attempt';
import { withoutEnds } from '../../lib/values/text';
import {
	booleanField,
	optionsCollection,
	integerField,
	stringField,
} from '../shared/field-builders';
import { watchLoading } from '../shared/run/hints';
import { ItemError } from '../shared/run/item-error';
import { createInputError } from '../../lib/errors/create-error';
import { requestFields } from '../shared/chat/generation';
import { withResolvedModel } from '../shared/model-selection';

/** Model server and priority of an item. */
interface LlamaAccess {
	server: ModelServer;
	/** Queue priority of the item's requests. */
	priority: Priority;
}

export type LlamaCall = OperationCall<LlamaAccess>;
export type LocalLlamaOperation = Operation<LlamaAccess>;

export async function runLocalLlama(
	context: IExecuteFunctions,
	table: RunOperationsOptions<LlamaAccess>['table'],
): Promise<workflow.INodeExecutionData[][]> {
	const cachedAccess = new Map<string, LlamaAccess>();
	let sameForEachItem: ICredentialDataDecryptedObject | undefined;
	const getAccess = async (itemIndex: number) => {
		const data =
			sameForEachItem ??
			(await context.getCredentials<ICredentialDataDecryptedObject>('localLlamaApi', itemIndex));
		if (isSameForEachItem(data)) sameForEachItem = data;
		const { fields } = table.getOperation(context, itemIndex);
		const priority = readPriority(context, new NodeParameters(context, itemIndex, fields));
		const key = JSON.stringify([data, priority]);
		const access = cachedAccess.get(key) ?? {
			server: watchLoading(context, createModelServer(data, context.helpers)),
			priority,
		};
		cachedAccess.set(key, access);
		return access;
	};
	return await runOperations(context, { table, getAccess });
}

/**
 * Adds tokens to the usage that n8n shows at the node. n8n before 2.41 does not sum them, and a tool's context may lack
 * the method: errors are ignored.
 */
export function countTokens(
	{ context }: LlamaCall,
	{ promptTokens, completionTokens }: Pick<Usage, 'promptTokens' | 'completionTokens'>,
): void {
	const { accumulateTokenUsage: add } = workflow as Partial<typeof workflow>;
	tryOrUndefined(() => add?.(context, promptTokens, completionTokens));
}

/** A result for an output item. */
export interface ResultItem {
	output: unknown;
	/** Everything else, for the field `metadata`. */
	metadata?: object;
	/** Fields of the list entry that was processed: they replace those of the input item, which may be large. */
	entry?: object;
	binary?: IBinaryKeyData;
	/** Indexes of its input items. Default: the processed ones. */
	from?: number | number[];
}

interface ResultOperation extends Omit<LocalLlamaOperation, 'run'> {
	run(call: LlamaCall): Promise<Array<ResultItem | ItemError>>;
}

const outputOptions = [
	booleanField(
		'Include Input Fields',
		'includeInputFields',
		false,
		'Whether the output includes the fields and files of the input item. The fields output and metadata overwrite input fields with the same name. On if not set, but off for the entries of an array.',
	),
	booleanField(
		'Simplify',
		'simplify',
		false,
		'Whether to return only the result in the field output, without the field metadata: token counts, times, model and further details. On if not set.',
	),
];

/**
 * Builds the output items of an operation: the fields of the input item, the result in `output`, and everything else in
 * `metadata`. Adds the options for it.
 *
 * The tool of an agent returns no input fields: the agent has its input already.
 */
export function withOutput(operation: ResultOperation): LocalLlamaOperation {
	return {
		...operation,
		fields: operation.fields.map((field) => {
			if (field.name !== 'options') return field;
			const options = [...((field.options ?? []) as INodeProperties[]), ...outputOptions];
			return { ...field, options: optionsCollection(options).options };
		}),
		run: async (call) => {
			// An array may have thousands of results, whose options are read once.
			const parameters: NodeParameters[] = [];
			const parametersOf = (index: number) => (parameters[index] ??= call.parametersOf(index));
			const itemCall = { ...call, parametersOf };
			return (await operation.run(call)).map((item) =>
				item instanceof ItemError ? item : toOperationItem(item, itemCall),
			);
		},
	};
}

function toOperationItem(
	item: ResultItem,
	{ context, itemIndexes, parametersOf, ...call }: LlamaCall,
): OperationItem {
	const { output, metadata = {}, entry, ...itemFields } = item;
	const [itemIndex = call.itemIndex, ...furtherIndexes] = [item.from ?? itemIndexes].flat();
	const parameters = parametersOf(itemIndex);
	const hasInput =
		parameters.boolean('options.includeInputFields', entry === undefined) &&
		furtherIndexes.length === 0 &&
		!isToolType(context.getNode().type);
	const input = hasInput ? context.getInputData()[itemIndex] : undefined;
	return {
		...itemFields,
		json: {
			...input?.json,
			...entry,
			output,
			...(!parameters.boolean('options.simplify', true) && { metadata: omitUndefined(metadata) }),
		},
		...omitEmpty({ binary: { ...input?.binary, ...item.binary } }),
	};
}

/**
 * Options field of an operation that runs per item.
 * `concurrency`: default of Max Concurrent Items.
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
 * Throws a `ServerError` of type `invalidInput` if several were added.
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
): {
	rows: unknown[];
	label: string;
} {
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
 * Throws a `ServerError` of type `invalidInput` for text that begins like an array but is not valid.
 */
function readList(parameters: NodeParameters, path: string) {
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
function splitQuotedNames(text: string) {
	return text
		.split(/[,;\r\n，；、]/)
		.map((name) => withoutEnds(name, /[\s"“]/, /[\s"”]/))
		.filter((name) => name !== '');
}

/** Options of image and audio operations: additional fields, timeout, retries. */
export const mediaFields: INodeProperties[] = [
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
export async function readMediaSettings(
	call: LlamaCall,
	task: ModelTask,
): Promise<{
	priority: Priority;
	signal: AbortSignal;
	timeouts: {
		firstTokenMs?: number | undefined;
		idleMs?: number | undefined;
		totalMs?: number | undefined;
	};
	retries: number;
	model: string;
}> {
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
