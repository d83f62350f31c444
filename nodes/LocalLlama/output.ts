/** The output items of an operation. */
import type { IBinaryKeyData } from 'n8n-workflow';
import { isToolType } from 'n8n-workflow';
import type { FieldTable, OptionsField } from '../../lib/fields/field';
import { createFieldError } from '../../lib/fields/field-errors';
import { optionsField } from '../shared/fields/options-field';
import { readValues } from '../shared/fields/read-values';
import type { FieldValues, OperationDefinition } from '../shared/items/define-operation';
import { defineOperation } from '../shared/items/define-operation';
import type { OperationItem } from '../shared/items/operation';
import { round } from '../../lib/values/numbers';
import { omitEmpty, omitUndefined } from '../../lib/values/records';
import { truncate } from '../../lib/values/text';
import { tryOrUndefined } from '../../lib/values/try-or-undefined';
import { yieldToEventLoop } from '../../lib/http/yield-to-event-loop';
import { ItemError } from '../shared/items/item-error';
import type { LlamaAccess, LlamaCall, LocalLlamaOperation } from './run-local-llama';
import { getOwn } from '../../lib/values/own-properties';

/** A result for an output item. */
export interface ResultItem {
	/** The result alone, for the output field. */
	output: unknown;
	/** Everything else, for the field `metadata`. */
	metadata?: object;
	/** How long it took. Default: as long as the operation, whose results share it. */
	milliseconds?: number;
	/** Fields of the list entry that was processed: they replace those of the input item, which may be large. */
	entry?: object;
	binary?: IBinaryKeyData;
	/** Indexes of its input items. Default: the processed ones. */
	from?: number | number[];
}

/** An operation that returns results, not finished items. */
interface ResultOperation<T extends TableWithOptions> extends Omit<
	OperationDefinition<LlamaAccess, T>,
	'execute'
> {
	/** Name of the field for the result. Default: `output`, which a chat displays. */
	outputField?: string;
	execute(call: LlamaCall & FieldValues<T>): Promise<Array<ResultItem | ItemError>>;
}

/** The fields of an operation with options. */
interface TableWithOptions extends FieldTable {
	readonly options: OptionsField;
}

const DEFAULT_FIELD = 'output';

/**
 * Names that are no field for a result: n8n's expressions cannot read the first three, this node writes the next, and
 * n8n sends an item with nothing but `error` to the error output.
 */
const RESERVED_NAMES: readonly string[] = [
	'__proto__',
	'constructor',
	'prototype',
	'metadata',
	'error',
];

function createOutputFields(outputField: string) {
	return {
		options: optionsField({
			includeInputFields: {
				kind: 'switch',
				label: 'Include Input Fields',
				default: false,
				description:
					'Whether the output includes the fields of the input item, and its files. If not set, it includes the fields without the files, and neither for the entries of an array.',
			},
			outputField: {
				kind: 'name',
				label: 'Output Field',
				default: outputField,
				description: `Name of the field for the result. It replaces an input field with the same name, and a hint says so. If empty, ${outputField} is used. A chat displays the field ${DEFAULT_FIELD}. The first item decides for items that are processed together.`,
			},
			simplify: {
				kind: 'switch',
				label: 'Simplify',
				default: false,
				description:
					'Whether to return only the result, without the field metadata: token counts, times, model and further details. On if not set.',
			},
		}),
	} as const satisfies FieldTable;
}

/** Values of these options: undefined for one that was not added. */
interface OutputOptions {
	/** Whether the item has the fields of the input item. */
	readonly includeInputFields: boolean | undefined;
	/** Name of the field for the result. */
	readonly outputField: string | undefined;
	/** Whether the item has nothing but the result. */
	readonly simplify: boolean | undefined;
}

/**
 * Builds the output items of an operation: the fields of the input item, the result in the output field, and everything
 * else in `metadata`. Adds the options for it.
 *
 * The tool of an agent returns no input fields: the agent has its input already.
 */
export function withOutput<const T extends TableWithOptions>({
	outputField: defaultField = DEFAULT_FIELD,
	execute,
	...operation
}: ResultOperation<T>): LocalLlamaOperation {
	const outputFields = createOutputFields(defaultField);
	const { options } = operation.fields;
	const allOptions = { ...options.fields, ...outputFields.options.fields };
	return defineOperation<LlamaAccess, T>({
		...operation,
		fields: { ...operation.fields, options: { ...options, fields: allOptions } },
		execute: async (call) => {
			// An array may have thousands of results, whose options are read once.
			const known = new Map<number, OutputOptions>();
			const optionsOf = (index: number) => {
				const itemOptions =
					known.get(index) ?? readValues(call.sourceOf(index), outputFields).options;
				known.set(index, itemOptions);
				return itemOptions;
			};
			const outputField = readOutputField(call, optionsOf, defaultField);
			// n8n copies the node each time.
			const target = { outputField, isTool: isToolType(call.context.getNode().type) };
			const items: Array<OperationItem | ItemError> = [];
			const startedAt = performance.now();
			const results = await execute(call);
			const milliseconds = performance.now() - startedAt;
			for (const item of results) {
				items.push(
					item instanceof ItemError
						? item
						: toOperationItem(call, { milliseconds, ...item }, { ...target, optionsOf }),
				);
				if (items.length % RESULTS_PER_STEP === 0) await yieldToEventLoop();
			}
			return items;
		},
	});
}

/** Results that become items until n8n does its other work. */
const RESULTS_PER_STEP = 5_000;

/**
 * The name of the output field, by the first item that can be read: the operation reports the others.
 *
 * @throws a `ServerError` of type `invalidInput` for a name that n8n cannot read, or that has another meaning.
 */
function readOutputField(
	{ itemIndexes }: LlamaCall,
	optionsOf: (itemIndex: number) => OutputOptions,
	defaultField: string,
): string {
	const read = (itemIndex: number) => optionsOf(itemIndex).outputField ?? '';
	const [first = 0] = itemIndexes;
	const itemIndex = itemIndexes.find((index) => tryOrUndefined(() => read(index)) !== undefined);
	// If no item can be read, the field is wrong for all.
	const name = read(itemIndex ?? first) || defaultField;
	if (!RESERVED_NAMES.includes(name) && !/[.[\]"'`\\]/.test(name)) return name;
	throw createFieldError(
		createOutputFields(defaultField).options.fields.outputField,
		`must be a plain name, not ${JSON.stringify(truncate(name, 60))}`,
		'Enter a name without dots, brackets and quotation marks, such as "label".',
	);
}

type TimedResult = ResultItem & Required<Pick<ResultItem, 'milliseconds'>>;

/** What all results of a call have in common. */
interface ResultTarget {
	/** Name of the field for the result. */
	outputField: string;
	/** Whether an agent receives the result. */
	isTool: boolean;
	/** The options of an item. */
	optionsOf(itemIndex: number): OutputOptions;
}

function toOperationItem(
	{ context, itemIndexes, hint, ...call }: LlamaCall,
	item: TimedResult,
	{ outputField, isTool, optionsOf }: ResultTarget,
): OperationItem {
	const { output, metadata = {}, milliseconds, entry, ...itemFields } = item;
	const [itemIndex = call.itemIndex, ...furtherIndexes] = [item.from ?? itemIndexes].flat();
	const { includeInputFields, simplify = true } = optionsOf(itemIndex);
	const hasInput =
		(includeInputFields ?? entry === undefined) && furtherIndexes.length === 0 && !isTool;
	const input = hasInput ? context.getInputData()[itemIndex] : undefined;
	const fields = { ...input?.json, ...entry };
	const result = {
		[outputField]: output,
		...(!simplify && {
			metadata: { ...omitUndefined(metadata), seconds: round(milliseconds / 1000, 2) },
		}),
	};
	// n8n opens the tab of files first, so the result would not be seen.
	const files = includeInputFields ? { ...input?.binary } : {};
	for (const [name, value] of Object.entries(entry ?? {}))
		if (Object.hasOwn({ ...input?.json }, name) && getOwn(input?.json, name) !== value)
			hint(
				`The input field "${name}" was replaced by that of the list entry. To keep it, rename it before this node.`,
			);
	for (const name of Object.keys(result).filter((key) => Object.hasOwn(fields, key)))
		hint(
			name === outputField
				? `The input field "${name}" was replaced by the result. To keep both, enter another name in the option Output Field.`
				: `The input field "${name}" was replaced by the metadata of the result. To keep it, turn on Simplify, or rename it before this node.`,
		);
	for (const name of Object.keys(item.binary ?? {}).filter((key) => Object.hasOwn(files, key)))
		hint(
			`The input file "${name}" was replaced by the output file. To keep both, enter another name in the option Put Output File in Field.`,
		);
	return {
		...itemFields,
		// The result is the first column, where it is seen; here once more, to replace a field with its name.
		json: { [outputField]: output, ...fields, ...result },
		...omitEmpty({ binary: { ...files, ...item.binary } }),
	};
}
