/** The table of a node's operations: its lists, its fields, and the operation of an item. */
import type { INodeProperties, INodePropertyOptions } from 'n8n-workflow';
import { createInputError } from '../../../lib/errors/create-error';
import { omitUndefined } from '../../../lib/values/records';
import type { FieldTable, NameField } from '../../../lib/fields/field';
import type { ItemSource } from '../fields/item-source';
import { readValues } from '../fields/read-values';
import { toProperties } from '../fields/to-properties';
import type { ListEntry, OperationDescription, NodeResource } from './operation';

/** The operations of a node. */
export interface OperationTable<O> {
	/** Resource and operation lists, and the fields of all operations. */
	properties: INodeProperties[];
	/** Expression for the subtitle of the node. */
	subtitle: string;
	/**
	 * The operation that is selected for an item.
	 *
	 * @throws a `ServerError` if an expression names one that does not exist.
	 */
	getOperation(source: ItemSource): O;
}

/** Display condition: names of other fields, with the values that they must have. */
type ShowCondition = Record<string, string[]>;

/**
 * The field Operation. The order is that of n8n's list of actions. The default must never change: workflows do not
 * store it.
 */
export function operationField(
	operations: readonly OperationDescription[],
	defaultValue: string = operations[0]!.value,
	show?: ShowCondition,
): INodeProperties {
	return {
		displayName: 'Operation',
		name: 'operation',
		type: 'options',
		noDataExpression: true,
		options: operations.map(toListOption),
		default: defaultValue,
		...omitUndefined({ displayOptions: show && { show } }),
	};
}

/** The name of the operation, which may be one that the node does not have. */
function operationNameField(defaultValue: string): NameField {
	return { kind: 'name', label: 'Operation', default: defaultValue };
}

function toListOption({ name, value, action, description }: ListEntry): INodePropertyOptions {
	return { name, value, ...omitUndefined({ action, description }) };
}

/** The fields of all operations, each shown only for its operation. */
export function operationFields(
	operations: readonly OperationDescription[],
	show: ShowCondition = {},
): INodeProperties[] {
	return operations.flatMap(({ value, fields }) =>
		fields.map((field) => ({
			...field,
			displayOptions: {
				...field.displayOptions,
				show: { ...show, operation: [value], ...field.displayOptions?.show },
			},
		})),
	);
}

/**
 * Finds an operation by name.
 *
 * @throws a `ServerError` if an expression names one that does not exist.
 */
export function findOperation<O extends OperationDescription>(
	operations: readonly O[],
	name: string,
): O {
	const operation = operations.find(({ value }) => value === name);
	if (operation !== undefined) return operation;
	throw createInputError(
		`This node has no operation "${name}"`,
		`Choose one of: ${operations.map(({ value }) => value).join(', ')}.`,
	);
}

/**
 * The subtitle of a node: the label of its operation. n8n names a node after the action that it was added with, so that
 * text would stand there twice.
 *
 * @param labels - By what `key` evaluates to.
 * @param key - Expression for the name of an operation.
 */
export function buildSubtitle(
	labels: Readonly<Record<string, string>>,
	key = '$parameter.operation',
): string {
	return `={{ (${JSON.stringify(labels)})[${key}] }}`;
}

/** Labels of operations by their values. */
export function toLabels(operations: readonly ListEntry[]): Record<string, string> {
	return Object.fromEntries(operations.map(({ value, name }) => [value, name]));
}

/** The operations of a node without resources. The first one is the default. */
export function createOperationTable<O extends OperationDescription>(
	operations: readonly O[],
): OperationTable<O> {
	const fields = { operation: operationNameField(operations[0]!.value) };
	return {
		properties: [operationField(operations), ...operationFields(operations)],
		subtitle: buildSubtitle(toLabels(operations)),
		getOperation: (source) => findOperation(operations, readValues(source, fields).operation),
	};
}

/**
 * The operations of a node with resources.
 *
 * @param resources - In the order of n8n's list of actions; the first one is the default.
 */
export function createResourceTable<O extends OperationDescription>(
	resources: ReadonlyArray<NodeResource<O>>,
): OperationTable<O> {
	const [{ value, operations: firstOperations, defaultOperation }] = resources as [NodeResource<O>];
	const selectionFields = {
		resource: {
			kind: 'choice',
			label: 'Resource',
			default: value,
			isFixed: true,
			choices: toLabels(resources),
		},
		operation: operationNameField(defaultOperation ?? firstOperations[0]!.value),
	} as const satisfies FieldTable;
	const [resourceField] = toProperties({ resource: selectionFields.resource });
	const showFor = ({ value }: ListEntry) => ({ resource: [value] });
	const fields = resources.map((resource) =>
		operationField(resource.operations, resource.defaultOperation, showFor(resource)),
	);
	return {
		properties: [
			{ ...resourceField!, options: resources.map(toListOption) },
			...fields,
			...resources.flatMap((resource) => operationFields(resource.operations, showFor(resource))),
		],
		subtitle: buildSubtitle(
			Object.fromEntries(
				resources.flatMap(({ value: resource, name: label, operations }) =>
					operations.map(({ value, name }) => [`${resource} ${value}`, `${label}: ${name}`]),
				),
			),
			'$parameter.resource + " " + $parameter.operation',
		),
		getOperation: (source) => {
			const { resource, operation } = readValues(source, selectionFields);
			const { operations } = resources.find(({ value }) => value === resource)!;
			return findOperation(operations, operation);
		},
	};
}
