/** Builders of simple fields. `more` overrides the defaults of a builder. */
import type { INodeProperties, INodePropertyOptions } from 'n8n-workflow';

import { omitUndefined } from '../../lib/values';

type More = Partial<INodeProperties>;

function createFieldBuilder<Preset extends INodeProperties['default']>(
	type: INodeProperties['type'],
) {
	return (displayName: string, name: string, preset: Preset, more: More = {}): INodeProperties => ({
		displayName,
		name,
		type,
		default: preset,
		...more,
	});
}

export const numberField = createFieldBuilder<number>('number');
export const booleanField = createFieldBuilder<boolean>('boolean');
export const jsonField = createFieldBuilder<string>('json');

/** A whole number from `least` on, or up to `most`. */
export function integerField(
	displayName: string,
	name: string,
	preset: number,
	[minValue, maxValue]: readonly [least: number, most?: number],
	more: More = {},
): INodeProperties {
	const typeOptions = { minValue, ...omitUndefined({ maxValue }), numberPrecision: 0 };
	return numberField(displayName, name, preset, { typeOptions, ...more });
}

type Label = string | readonly [label: string, description: string];

/** The choices of a list by their values: the label of each, or its label and what it means. */
export function toOptions<Value extends string>(
	labels: Readonly<Record<Value, Label>>,
): Array<INodePropertyOptions & { value: Value }> {
	return Object.entries<Label>(labels).map(([key, label]) => {
		const value = key as Value;
		if (typeof label === 'string') return { name: label, value };
		return { name: label[0], value, description: label[1] };
	});
}

/** One of a list. */
export const choiceField = createFieldBuilder<string | number>('options');

/** Several of a list, none at first. */
export function multiChoiceField(displayName: string, name: string, more: More): INodeProperties {
	return createFieldBuilder('multiOptions')(displayName, name, [], more);
}

/** A text, empty at first. */
export function stringField(displayName: string, name: string, more: More = {}): INodeProperties {
	return createFieldBuilder('string')(displayName, name, '', more);
}

/** A text of several lines, empty at first. */
export function longTextField(
	displayName: string,
	name: string,
	rows: number,
	more: More = {},
): INodeProperties {
	return stringField(displayName, name, { typeOptions: { rows }, ...more });
}

/** Option for the name of the output binary field. */
export const outputFileField = stringField('Put Output File in Field', 'binaryPropertyOutput', {
	default: 'data',
	description: 'The name of the output binary field to put the file in',
});

/** A notice in the panel, without a value. */
export function noticeField(text: string, name = 'notice'): INodeProperties {
	return { displayName: text, name, type: 'notice', default: '' };
}

/** Some of several options, none at first. @param entry what the button adds */
export function collectionField(
	displayName: string,
	name: string,
	entry: string,
	more: More,
): INodeProperties {
	return createFieldBuilder('collection')(
		displayName,
		name,
		{},
		{ placeholder: `Add ${entry}`, ...more },
	);
}

/** Options that come first. */
const COMMON = ['Temperature', 'Maximum Tokens', 'Top P'];

/** The collection "Options" of a node or an operation, the common ones first, the others by name. */
export function optionsCollection(options: readonly INodeProperties[]): INodeProperties {
	const place = ({ displayName }: INodeProperties) => [...COMMON, displayName].indexOf(displayName);
	const sorted = [...options].sort(
		(one, other) => place(one) - place(other) || one.displayName.localeCompare(other.displayName),
	);
	return collectionField('Options', 'options', 'Option', { options: sorted });
}

/** Rows of the same fields, none at first. @param entry what a row is; in small letters the name of the list of rows */
export function fixedCollectionField(
	displayName: string,
	name: string,
	entry: string,
	{ values, ...more }: More & { values: INodeProperties[] },
): INodeProperties {
	const options = [{ displayName: entry, name: entry.toLowerCase(), values }];
	return collectionField(displayName, name, entry, {
		type: 'fixedCollection',
		typeOptions: { multipleValues: true },
		options,
		...more,
	});
}

/** `document` → `a document`, `annotation` → `an annotation` */
function withArticle(noun: string): string {
	return /^[aeiou]/.test(noun) ? `an ${noun}` : `a ${noun}`;
}

/** A resource locator: chosen from a searchable list, or typed. @param search the node's list search */
export function resourceLocatorField(
	displayName: string,
	name: string,
	search: string,
	typed: { displayName: string; placeholder: string },
	{ placeholder = `Select ${withArticle(displayName.toLowerCase())}…`, ...more }: More = {},
): INodeProperties {
	const typeOptions = { searchListMethod: search, searchable: true };
	return {
		displayName,
		name,
		type: 'resourceLocator',
		default: { mode: 'list', value: '' },
		modes: [
			{ displayName: 'From List', name: 'list', type: 'list', placeholder, typeOptions },
			{ name: 'id', type: 'string', ...typed },
		],
		...more,
	};
}
