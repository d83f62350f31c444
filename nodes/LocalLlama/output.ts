import type { IBinaryKeyData, INodeExecutionData, INodeProperties } from 'n8n-workflow';

import { omitEmpty } from '../../lib/values';
import { booleanField, optionsCollection } from '../shared/field-builders';
import { ItemError } from '../shared/run/item-error';
import type { OperationItem } from '../shared/run/operations';
import type { LlamaCall, LocalLlamaOperation } from './operation';

/** A result for an output item. */
export interface ResultItem {
	output: unknown;
	/** Everything else, for the field `metadata`. */
	metadata?: object;
	binary?: IBinaryKeyData;
	/** Indexes of its input items. Default: the processed ones. */
	from?: number | number[];
}

interface ResultOperation extends Omit<LocalLlamaOperation, 'run'> {
	run(call: LlamaCall): Promise<Array<ResultItem | ItemError>>;
}

const outputOptions: INodeProperties[] = [
	booleanField('Include Input Fields', 'includeInputFields', false, {
		description:
			'Whether the output includes the fields and files of the input item. The fields output and metadata overwrite input fields with the same name. On if not set.',
	}),
	booleanField('Simplify', 'simplify', false, {
		description:
			'Whether to return only the result in the field output, without the field metadata: token counts, times, model and further details. On if not set.',
	}),
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
			field.name === 'options' ? withOptions(field, outputOptions) : field,
		),
		run: async (call) =>
			(await operation.run(call)).map((item) =>
				item instanceof ItemError ? item : toOperationItem(item, call),
			),
	};
}

function withOptions(
	collection: INodeProperties,
	additionalOptions: readonly INodeProperties[],
): INodeProperties {
	const members = (collection.options ?? []) as INodeProperties[];
	const { options } = optionsCollection([...members, ...additionalOptions]);
	return { ...collection, options };
}

function toOperationItem(item: ResultItem, call: LlamaCall): OperationItem {
	const { output, metadata, ...itemFields } = item;
	const [itemIndex = call.itemIndex, ...furtherIndexes] = [item.from ?? call.itemIndexes].flat();
	const parameters = call.parametersOf(itemIndex);
	const includesInput =
		furtherIndexes.length === 0 &&
		parameters.boolean('options.includeInputFields', true) &&
		!isToolOfAgent(call);
	const input = includesInput ? call.context.getInputData()[itemIndex] : undefined;
	const isSimplified = parameters.boolean('options.simplify', true);
	return {
		...itemFields,
		json: { ...input?.json, output, ...(isSimplified ? {} : { metadata: metadata ?? {} }) },
		...omitEmpty({ binary: mergeBinary(input, item) }),
	};
}

function mergeBinary(
	input: INodeExecutionData | undefined,
	{ binary }: ResultItem,
): IBinaryKeyData | undefined {
	return { ...input?.binary, ...binary };
}

function isToolOfAgent({ context }: LlamaCall): boolean {
	return context.getNode().type.endsWith('Tool');
}

/** Rounds a number of the output to what it means. */
export function roundTo(value: number, decimals: number): number {
	return Math.round(value * 10 ** decimals) / 10 ** decimals;
}
