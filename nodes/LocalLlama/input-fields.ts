import type { INodeExecutionData, INodeProperties } from 'n8n-workflow';

import { omitEmpty } from '../../lib/values';
import { booleanField, optionsCollection } from '../shared/field-builders';
import type { NodeParameters } from '../shared/parameters';
import { ItemError } from '../shared/run/item-error';
import type { OperationItem } from '../shared/run/operations';
import type { LlamaCall, LocalLlamaOperation } from './operation';

/**
 * Adds the option "Include Input Fields" to an operation whose items come of one input item each.
 *
 * The tool of an agent gives results only: the agent knows its input.
 *
 * @param preset what counts where it is not added
 */
export function withInputFields(
	operation: LocalLlamaOperation,
	preset = false,
): LocalLlamaOperation {
	const read = (parameters: NodeParameters) =>
		parameters.boolean('options.includeInputFields', undefined);
	return {
		...operation,
		fields: operation.fields.map((field) =>
			field.name === 'options' ? withOption(field, includeField(preset)) : field,
		),
		run: async (call) => {
			const complete = (item: OperationItem | ItemError) => {
				const from = sourceOf(item, call);
				if (item instanceof ItemError || from === undefined) return item;
				const isIncluded = read(call.parametersOf(from)) ?? preset;
				if (!isIncluded || isToolOfAgent(call)) return item;
				return withInput(item, call.context.getInputData()[from]);
			};
			return (await operation.run(call)).map(complete);
		},
	};
}

function isToolOfAgent({ context }: LlamaCall): boolean {
	return context.getNode().type.endsWith('Tool');
}

function includeField(preset: boolean): INodeProperties {
	return booleanField('Include Input Fields', 'includeInputFields', !preset, {
		description: `Whether the output includes the fields and files of the input item. Result fields overwrite input fields with the same name. ${preset ? 'On' : 'Off'} if not set.`,
	});
}

function withOption(collection: INodeProperties, option: INodeProperties): INodeProperties {
	const members = (collection.options ?? []) as INodeProperties[];
	const { options } = optionsCollection([...members, option]);
	return { ...collection, options };
}

/** The index of the input item that an item comes of; undefined where it comes of several. */
function sourceOf(item: OperationItem | ItemError, { itemIndexes }: LlamaCall): number | undefined {
	if (item instanceof ItemError) return undefined;
	const [index, ...others] = [item.from ?? itemIndexes].flat();
	return others.length === 0 ? index : undefined;
}

function withInput(item: OperationItem, input: INodeExecutionData | undefined): OperationItem {
	const binary = { ...input?.binary, ...item.binary };
	return {
		...item,
		json: { ...input?.json, ...item.json },
		...omitEmpty({ binary }),
	};
}
