import type { INodeProperties, INodePropertyOptions } from 'n8n-workflow';

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
