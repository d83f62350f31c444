import type { INodeProperties } from 'n8n-workflow';

import { uuid } from '../../lib/dify/ids';
import { locatorField } from '../shared/dify/knowledge-fields';
import { namesIn } from '../shared/binary';
import type { NodeParameters } from '../shared/parameters';
import { wrongField } from '../shared/field-values';
import { collectionOf } from '../shared/options-field';

export const documentField = locatorField('Document', 'documentId', 'searchDocuments', { required: true });

/** @throws {ServerError} where the field Document is empty or holds no ID */
export function documentIdIn(parameters: NodeParameters): string {
	return uuid(parameters.value('documentId'), 'document ID');
}

export function idField(displayName: string, name: string): INodeProperties {
	return {
		displayName,
		name,
		type: 'string',
		default: '',
		required: true,
		placeholder: 'e.g. 1c7e55fb-1ba2-4e10-81b5-30addcea2276',
	};
}

export function idIn(parameters: NodeParameters, path: string): string {
	return uuid(parameters.value(path), parameters.field(path).label);
}

export const binaryField: INodeProperties = {
	displayName: 'Input Binary Field',
	name: 'binaryPropertyName',
	type: 'string',
	default: 'data',
	required: true,
	hint: 'The name of the input binary field containing the file',
};

export const textField: INodeProperties = {
	displayName: 'Text',
	name: 'text',
	type: 'string',
	typeOptions: { rows: 4 },
	default: '',
	required: true,
};

export const keywordField: INodeProperties = {
	displayName: 'Search',
	name: 'keyword',
	type: 'string',
	default: '',
	description: 'Part of the name or text to look for. Leave empty for all.',
};

export const waitField: INodeProperties = {
	displayName: 'Wait for Indexing (Seconds)',
	name: 'wait',
	type: 'number',
	typeOptions: { minValue: 0 },
	default: 300,
	description: 'How long to wait until Dify has indexed the document. 0 = do not wait.',
};

export function optionsField(options: INodeProperties[]): INodeProperties {
	return collectionOf([...options].sort((one, other) => one.displayName.localeCompare(other.displayName)));
}

/** Several texts: a list, or text with commas. */
export function textsIn(parameters: NodeParameters, path: string): string[] | undefined {
	const value = parameters.value(path);
	if (value === undefined || value === null || value === '') return undefined;
	if (Array.isArray(value)) return value.map(String);
	if (typeof value === 'string') return namesIn(value);
	throw wrongField(parameters.field(path).label, 'must be a list, or text with commas');
}

/** A text that was added to the options; undefined where it was not. */
export function textIn(parameters: NodeParameters, path: string): string | undefined {
	return parameters.value(path) === undefined ? undefined : parameters.freeText(path);
}
