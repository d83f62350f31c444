import type { IExecuteFunctions, INodeProperties, INodePropertyOptions } from 'n8n-workflow';

import { failure } from '../../../lib/errors/failure';
import { NodeParameters } from '../parameters';

/** One operation of a node: its place in the list, its fields, and its work. */
export interface NodeOperation<Call, Result> {
	option: INodePropertyOptions & { value: string };
	/** Without the condition that this operation is chosen, which is added. */
	fields: INodeProperties[];
	run(call: Call): Promise<Result>;
}

type Described = Pick<NodeOperation<never, unknown>, 'option' | 'fields'>;
/** When something is shown: names of other fields, with the values that they must have. */
type Shown = Record<string, string[]>;

/** One resource of a node: its operations, and the one that is chosen at first. */
export interface NodeResource<O extends Described = Described> {
	operations: readonly O[];
	preset: string;
}

/** The list of operations, in the order of their names, as n8n shows them. */
export function operationField(operations: readonly Described[], preset: string, show?: Shown): INodeProperties {
	return {
		displayName: 'Operation',
		name: 'operation',
		type: 'options',
		noDataExpression: true,
		options: operations.map(({ option }) => option).sort((one, other) => one.name.localeCompare(other.name)),
		default: preset,
		...(show === undefined ? {} : { displayOptions: { show } }),
	};
}

/** The fields of all operations, each shown for its own. */
export function operationFields(operations: readonly Described[], show: Shown = {}): INodeProperties[] {
	return operations.flatMap(({ option, fields }) =>
		fields.map((field) => ({
			...field,
			displayOptions: {
				...field.displayOptions,
				show: { ...show, operation: [option.value], ...field.displayOptions?.show },
			},
		})),
	);
}

/** @throws {ServerError} where an expression names an operation that does not exist */
export function operationNamed<O extends Described>(operations: readonly O[], name: string): O {
	const operation = operations.find(({ option }) => option.value === name);
	if (operation !== undefined) return operation;
	throw failure(
		'invalidInput',
		{},
		{
			message: `This node has no operation "${name}"`,
			remedy: `Choose one in the node: ${operations.map(({ option }) => option.value).join(', ')}.`,
		},
	);
}

/** The lists and the fields of all operations, each shown for its resource. */
export function resourceFields(resources: Readonly<Record<string, NodeResource>>): INodeProperties[] {
	const named = Object.entries(resources);
	return [
		...named.map(([name, { operations, preset }]) => operationField(operations, preset, { resource: [name] })),
		...named.flatMap(([name, { operations }]) => operationFields(operations, { resource: [name] })),
	];
}

/**
 * The operation that an item chooses, of the resource that it chooses.
 *
 * @throws {ServerError} where an expression names one that does not exist
 */
export function operationChosen<O extends Described>(
	context: IExecuteFunctions,
	itemIndex: number,
	resourceField: INodeProperties,
	resources: Readonly<Record<string, NodeResource<O>>>,
): O {
	const resource = new NodeParameters(context, itemIndex, [resourceField]).choice('resource');
	const { operations, preset } = resources[resource]!;
	return operationNamed(operations, String(context.getNodeParameter('operation', itemIndex, preset)));
}
