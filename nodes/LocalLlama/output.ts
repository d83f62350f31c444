/** The output items of an operation. */
import type { IBinaryKeyData, INodeProperties } from 'n8n-workflow';
import { isToolType } from 'n8n-workflow';
import type { NodeParameters } from '../shared/parameters';
import type { OperationItem } from '../shared/run/operations';
import { omitEmpty, omitUndefined } from '../../lib/values/records';
import { booleanField, optionsCollection } from '../shared/field-builders';
import { ItemError } from '../shared/run/item-error';
import type { LlamaCall, LocalLlamaOperation } from './run-local-llama';

/** A result for an output item. */
export interface ResultItem {
	/** The result alone, for the field `output`. */
	output: unknown;
	/** Everything else, for the field `metadata`. */
	metadata?: object;
	/** Fields of the list entry that was processed: they replace those of the input item, which may be large. */
	entry?: object;
	binary?: IBinaryKeyData;
	/** Indexes of its input items. Default: the processed ones. */
	from?: number | number[];
}

/** An operation that returns results, not finished items. */
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
