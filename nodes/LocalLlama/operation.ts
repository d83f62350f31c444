import {
	type ICredentialDataDecryptedObject,
	type IExecuteFunctions,
	type INodeExecutionData,
	isToolType,
	type IBinaryKeyData,
	type INodeProperties,
} from 'n8n-workflow';
import * as workflow from 'n8n-workflow';

import type { Usage } from '../../lib/chat/types';
import type { Priority } from '../../lib/http/queue';
import type { ModelServer } from '../../lib/servers/types/server-type';
import { isSameForEachItem } from '../../lib/servers/credential';
import { createModelServer } from '../../lib/servers/model-server';
import { NodeParameters } from '../shared/parameters';
import { readPriority } from '../shared/timeout-fields';
import type { Operation, OperationCall, OperationItem } from '../shared/run/operations';
import { runOperations, type RunOperationsOptions } from '../shared/run/run-operations';
import { tryOrUndefined, omitEmpty, omitUndefined } from '../../lib/values';
import { booleanField, optionsCollection } from '../shared/field-builders';
import { ItemError } from '../shared/run/item-error';

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
): Promise<INodeExecutionData[][]> {
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
			server: createModelServer(data, context.helpers),
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
		fields: operation.fields.map((field) =>
			field.name === 'options' ? withOutputOptions(field) : field,
		),
		run: async (call) => {
			const readOptions = createOptionsReader(call);
			return (await operation.run(call)).map((item) =>
				item instanceof ItemError ? item : toOperationItem(item, call, readOptions),
			);
		},
	};
}

function withOutputOptions(collection: INodeProperties): INodeProperties {
	const options = [...((collection.options ?? []) as INodeProperties[]), ...outputOptions];
	return { ...collection, options: optionsCollection(options).options };
}

interface OutputOptions {
	includesInput: boolean | undefined;
	isSimplified: boolean;
}

/** Reads the options of each input item once: an array may have thousands of results. */
function createOptionsReader(call: LlamaCall): (itemIndex: number) => OutputOptions {
	const cached = new Map<number, OutputOptions>();
	return (itemIndex) => {
		const options = cached.get(itemIndex) ?? readOutputOptions(call.parametersOf(itemIndex));
		cached.set(itemIndex, options);
		return options;
	};
}

function readOutputOptions(parameters: NodeParameters): OutputOptions {
	return {
		includesInput: parameters.boolean('options.includeInputFields', undefined),
		isSimplified: parameters.boolean('options.simplify', true),
	};
}

function toOperationItem(
	item: ResultItem,
	call: LlamaCall,
	readOptions: (itemIndex: number) => OutputOptions,
): OperationItem {
	const { output, metadata = {}, entry, ...itemFields } = item;
	const [itemIndex = call.itemIndex, ...furtherIndexes] = [item.from ?? call.itemIndexes].flat();
	const { includesInput = entry === undefined, isSimplified } = readOptions(itemIndex);
	const hasInput =
		includesInput && furtherIndexes.length === 0 && !isToolType(call.context.getNode().type);
	const input = hasInput ? call.context.getInputData()[itemIndex] : undefined;
	return {
		...itemFields,
		json: {
			...input?.json,
			...entry,
			output,
			...(!isSimplified && { metadata: omitUndefined(metadata) }),
		},
		...omitEmpty({ binary: { ...input?.binary, ...item.binary } }),
	};
}

/** Rounds a number of the output to what it means. */
export function roundTo(value: number, decimals: number): number {
	return Math.round(value * 10 ** decimals) / 10 ** decimals;
}
