/**
 * Builders of simple fields. Their parameters are those of the editor from left to right: label, name, default, choices.
 * `overrides` replace the defaults of a builder; a text is the description.
 */
import type { INodeProperties, INodePropertyOptions } from 'n8n-workflow';

import { omitUndefined } from '../../lib/values/records';

/** What a field has besides the parameters of its builder. */
type Overrides = Partial<INodeProperties>;

/** The text below the field. */
type Description = string;

function toOverrides(overrides: Overrides | Description) {
	return typeof overrides === 'string' ? { description: overrides } : overrides;
}

/** Builds a field with a default of one type. */
type FieldBuilder<Value> = (
	displayName: string,
	name: string,
	defaultValue: Value,
	overrides?: Overrides | Description,
) => INodeProperties;

function createFieldBuilder<Value extends INodeProperties['default']>(
	type: INodeProperties['type'],
): FieldBuilder<Value> {
	return (displayName, name, defaultValue, overrides = {}) => ({
		displayName,
		name,
		type,
		default: defaultValue,
		...toOverrides(overrides),
	});
}

/** A number, also with decimals. */
export const numberField: FieldBuilder<number> = createFieldBuilder('number');

/** A switch. */
export const booleanField: FieldBuilder<boolean> = createFieldBuilder('boolean');

/** An editor for JSON. The default is its text. */
export const jsonField: FieldBuilder<string> = createFieldBuilder('json');

/** An integer from `min` to `max`; without `max`, there is no upper limit. */
export function integerField(
	displayName: string,
	name: string,
	defaultValue: number,
	[minValue, maxValue]: readonly [min: number, max?: number],
	overrides: Overrides | Description = {},
): INodeProperties {
	return numberField(displayName, name, defaultValue, {
		typeOptions: { minValue, ...omitUndefined({ maxValue }), numberPrecision: 0 },
		...toOverrides(overrides),
	});
}

/** The label of a choice, or its label and its description. */
export type ChoiceLabel = string | readonly [label: string, description: string];

/** Labels by value, or complete options. */
type Choices = Readonly<Record<string, ChoiceLabel>> | INodePropertyOptions[];

function toOptions(choices: Choices): INodePropertyOptions[] {
	if (Array.isArray(choices)) return choices;
	return Object.entries<ChoiceLabel>(choices).map(([value, label]) =>
		typeof label === 'string'
			? { name: label, value }
			: { name: label[0], value, description: label[1] },
	);
}

/** A list with one selected option. */
export function choiceField(
	displayName: string,
	name: string,
	defaultValue: INodeProperties['default'],
	choices: Choices,
	overrides: Overrides | Description = {},
): INodeProperties {
	const options = toOptions(choices);
	const fields = { options, ...toOverrides(overrides) };
	return createFieldBuilder('options')(displayName, name, defaultValue, fields);
}

/** A list with any number of selected options, by default none. */
export function multiChoiceField(
	displayName: string,
	name: string,
	choices: Choices,
	overrides: Overrides | Description = {},
): INodeProperties {
	const fields = { type: 'multiOptions' as const, ...toOverrides(overrides) };
	return choiceField(displayName, name, [], choices, fields);
}

/** A text, by default empty. */
export function stringField(
	displayName: string,
	name: string,
	overrides: Overrides | Description = {},
): INodeProperties {
	return createFieldBuilder('string')(displayName, name, '', overrides);
}

/** A text of several lines, by default empty. */
export function longTextField(
	displayName: string,
	name: string,
	rows: number,
	overrides: Overrides | Description = {},
): INodeProperties {
	return stringField(displayName, name, { typeOptions: { rows }, ...toOverrides(overrides) });
}

/** Option for the name of the output binary field. */
export const outputFileField: INodeProperties = stringField(
	'Put Output File in Field',
	'binaryPropertyOutput',
	{
		default: 'data',
		description: 'The name of the output binary field to put the file in',
	},
);

/** A notice in the panel, without a value. */
export function noticeField(text: string, name = 'notice'): INodeProperties {
	return { displayName: text, name, type: 'notice', default: '' };
}

/** Shows a field only if another one has this value. */
export function shownIf(
	field: string,
	value: string | boolean,
): Pick<INodeProperties, 'displayOptions'> {
	return { displayOptions: { show: { [field]: [value] } } };
}

/**
 * Optional fields, by default none.
 *
 * @param entry - What the button adds.
 */
export function collectionField(
	displayName: string,
	name: string,
	entry: string,
	overrides: Overrides,
): INodeProperties {
	return createFieldBuilder('collection')(
		displayName,
		name,
		{},
		{ placeholder: `Add ${entry}`, ...overrides },
	);
}

/** Options that come first. */
const COMMON = ['Temperature', 'Maximum Tokens', 'Top P', 'Context Size', 'Stop Sequences'];

/**
 * The collection "Options" of a node or an operation: the common ones, then timeouts, which slow hardware needs, then the
 * others by name. n8n's editor keeps the order.
 */
export function optionsCollection(options: readonly INodeProperties[]): INodeProperties {
	const sorted = [...options].sort(
		(a, b) => getRank(a) - getRank(b) || a.displayName.localeCompare(b.displayName),
	);
	return collectionField('Options', 'options', 'Option', { options: sorted });
}

function getRank({ displayName }: INodeProperties): number {
	const rank = COMMON.indexOf(displayName);
	if (rank !== -1) return rank;
	return COMMON.length + Number(!displayName.endsWith('Timeout (Seconds)'));
}

/**
 * Rows of the same fields, by default none.
 *
 * @param entry - Label of a row; in lower case the name of the list of rows.
 */
export function fixedCollectionField(
	displayName: string,
	name: string,
	entry: string,
	values: INodeProperties[],
	overrides: Overrides | Description = {},
): INodeProperties {
	return collectionField(displayName, name, entry, {
		type: 'fixedCollection',
		typeOptions: { multipleValues: true },
		options: [{ displayName: entry, name: entry.toLowerCase(), values }],
		...toOverrides(overrides),
	});
}

/** How an entry is entered instead of selected. */
interface IdMode {
	displayName: string;
	placeholder: string;
}

/** Placeholder for IDs. */
export const ID_EXAMPLE = 'e.g. 1c7e55fb-1ba2-4e10-81b5-30addcea2276';

/**
 * A resource locator: selected from a searchable list, or entered.
 *
 * @param search - The node's list search.
 */
export function resourceLocatorField(
	displayName: string,
	name: string,
	search: string,
	{
		placeholder = `Select ${/^[aeiou]/i.test(displayName) ? 'an' : 'a'} ${displayName.toLowerCase()}…`,
		...overrides
	}: Overrides = {},
	idMode: IdMode = { displayName: 'By ID', placeholder: ID_EXAMPLE },
): INodeProperties {
	const typeOptions = { searchListMethod: search, searchable: true };
	return {
		displayName,
		name,
		type: 'resourceLocator',
		default: { mode: 'list', value: '' },
		modes: [
			{ displayName: 'From List', name: 'list', type: 'list', placeholder, typeOptions },
			{ name: 'id', type: 'string', ...idMode },
		],
		...overrides,
	};
}

/** For operations that can stream their text to a chat. */
export const streamingField: INodeProperties = booleanField(
	'Enable Streaming',
	'enableStreaming',
	true,
	'Whether to stream the text to the chat if the trigger of the workflow responds with streaming. Items are then processed one after another.',
);
