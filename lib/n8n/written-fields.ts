/** Fields of a node with what the author of the workflow wrote into them. */
import type { INodeProperties, INodePropertyCollection } from 'n8n-workflow';
import { asRecord, asRecords } from '../values/records';
import { getOwn } from '../values/own-properties';

/** The fields of an operation, or of a collection. */
export interface WrittenFields {
	properties: readonly INodeProperties[];
	/** The parameters as stored in the workflow, with their expressions. */
	stored: unknown;
}

/** The fields of a collection; those of each entry, if it has several. */
export function getInnerFields(
	{ type, options = [] }: INodeProperties,
	value: unknown,
): WrittenFields[] {
	if (type === 'collection') return [{ properties: options as INodeProperties[], stored: value }];
	if (type !== 'fixedCollection') return [];
	return (options as INodePropertyCollection[]).flatMap(({ name, values: properties }) =>
		asRecords([getOwn(asRecord(value), name)].flat()).map((stored) => ({ properties, stored })),
	);
}

/** Whether both are the label of one field: an error may use it as a word of a sentence, and adds "ID" to the label of a list. */
export function isSameLabel(left: string, right: string): boolean {
	return withoutId(left) === withoutId(right);
}

function withoutId(label: string): string {
	return label.toLowerCase().replace(/ id$/, '');
}
