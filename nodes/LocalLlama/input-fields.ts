import type { INodeExecutionData, INodeProperties } from 'n8n-workflow';

import { omitEmpty } from '../../lib/values';
import { booleanField, optionsCollection } from '../shared/field-builders';
import type { NodeParameters } from '../shared/parameters';
import { ItemError } from '../shared/run/item-error';
import type { OperationItem } from '../shared/run/operations';
import type { LlamaCall, LocalLlamaOperation } from './operation';

/**
 * Adds the option "Include Input Fields" to an operation whose output items have one input item each.
 *
 * The tool of an agent returns results only: the agent has its input already.
 *
 * @param defaultValue applies if the option is not set
 */
export function withInputFields(
	operation: LocalLlamaOperation,
	defaultValue = false,
): LocalLlamaOperation {
	const readOption = (parameters: NodeParameters) =>
		parameters.boolean('options.includeInputFields', undefined);
	return {
		...operation,
		fields: operation.fields.map((field) =>
			field.name === 'options' ? withOption(field, includeField(defaultValue)) : field,
		),
		run: async (call) => {
			const addInput = (item: OperationItem | ItemError) => {
				const itemIndex = getSourceIndex(item, call);
				if (item instanceof ItemError || itemIndex === undefined) return item;
				const isIncluded = readOption(call.parametersOf(itemIndex)) ?? defaultValue;
				if (!isIncluded || isToolOfAgent(call)) return item;
				return withInput(item, call.context.getInputData()[itemIndex]);
			};
			return (await operation.run(call)).map(addInput);
		},
	};
}

function isToolOfAgent({ context }: LlamaCall): boolean {
	return context.getNode().type.endsWith('Tool');
}

function includeField(defaultValue: boolean): INodeProperties {
	return booleanField('Include Input Fields', 'includeInputFields', !defaultValue, {
		description: `Whether the output includes the fields and files of the input item. Result fields overwrite input fields with the same name. ${defaultValue ? 'On' : 'Off'} if not set.`,
	});
}

function withOption(collection: INodeProperties, option: INodeProperties): INodeProperties {
	const members = (collection.options ?? []) as INodeProperties[];
	const { options } = optionsCollection([...members, option]);
	return { ...collection, options };
}

/** Index of the input item of an output item; undefined if there are several. */
function getSourceIndex(
	item: OperationItem | ItemError,
	{ itemIndexes }: LlamaCall,
): number | undefined {
	if (item instanceof ItemError) return undefined;
	const [index, ...furtherIndexes] = [item.from ?? itemIndexes].flat();
	return furtherIndexes.length === 0 ? index : undefined;
}

function withInput(item: OperationItem, input: INodeExecutionData | undefined): OperationItem {
	const binary = { ...input?.binary, ...item.binary };
	return {
		...item,
		json: { ...input?.json, ...item.json },
		...omitEmpty({ binary }),
	};
}
