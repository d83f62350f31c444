/** n8n's form of the definitions of fields: what the editor shows. */
import type { INodeProperties, INodePropertyMode, INodePropertyOptions } from 'n8n-workflow';
import type {
	AgentArgument,
	Choices,
	Field,
	FieldTable,
	FormField,
	LocatorField,
	LocatorMode,
	NumberField,
	OptionsField,
	RowsField,
	SecondsField,
	TextField,
} from '../../../lib/fields/field';
import { memoize } from '../../../lib/lru-cache';
import { omitUndefined } from '../../../lib/values/records';

/** A property without its label and name. */
type Entry = Pick<INodeProperties, 'type' | 'default'> & Partial<INodeProperties>;

/** The entries of the fields, in their order. A field that an agent may fill in has two: of the node, and of the tool. */
export function toProperties(fields: FieldTable): INodeProperties[] {
	return Object.entries(fields).flatMap(([name, field]) => {
		const property = toProperty(name, field);
		return 'agent' in field && field.agent !== undefined
			? toAgentProperties(property, field.agent)
			: [property];
	});
}

/** The same, made once for a table. */
export const getProperties: (fields: FieldTable) => INodeProperties[] = memoize(toProperties);

function toProperty(name: string, field: Field): INodeProperties {
	const { description, hint, placeholder, required, isFixed, shownIf } = field as TextField;
	return {
		displayName: field.label,
		name,
		...omitUndefined({ description, hint, placeholder, required, noDataExpression: isFixed }),
		...omitUndefined({ displayOptions: shownIf && { show: toShow(shownIf) } }),
		...toEntry(field),
	};
}

function toShow(shownIf: NonNullable<TextField['shownIf']>) {
	return Object.fromEntries(Object.entries(shownIf).map(([name, values]) => [name, [...values]]));
}

/**
 * In the tool, the default is n8n's own expression for a value that the model fills in, with the mark by which the editor
 * shows it as such.
 */
function toAgentProperties(
	property: INodeProperties,
	{ name, description, type = 'string' }: AgentArgument,
): INodeProperties[] {
	const call = `$fromAI('${name}', \`${description}\`, '${type}')`;
	return [
		{ ...property, displayOptions: { hide: { '@tool': [true] } } },
		{
			...property,
			default: `={{ /*n8n-auto-generated-fromAI-override*/ ${call} }}`,
			displayOptions: { show: { '@tool': [true] } },
		},
	];
}

function toEntry(field: Field): Entry {
	switch (field.kind) {
		case 'number':
		case 'seconds':
			return toNumberEntry(field);
		case 'text':
			return toTextEntry(field);
		case 'name':
			return { type: 'string', default: field.default ?? '' };
		case 'texts':
			return {
				type: 'string',
				typeOptions: { multipleValues: true, multipleValueButtonText: field.button },
				default: [],
			};
		case 'time':
			return { type: 'dateTime', default: '' };
		case 'switch':
			return { type: 'boolean', default: field.default };
		case 'choice':
			return { type: 'options', options: toChoices(field.choices), default: field.default };
		case 'choices':
			return {
				type: 'multiOptions',
				options: toChoices(field.choices),
				default: [...(field.default ?? [])],
			};
		case 'loadedChoices':
			return {
				type: 'multiOptions',
				typeOptions: { loadOptionsMethod: field.load },
				options: [],
				default: [],
			};
		case 'json':
			return { type: 'json', ...toRows(field), default: field.default };
		default:
			return toComposedEntry(field);
	}
}

/** Entries that consist of others. */
function toComposedEntry(
	field: Extract<Field, { kind: 'locator' | 'notice' | 'options' | 'rows' | 'form' }>,
): Entry {
	switch (field.kind) {
		case 'locator':
			return toLocatorEntry(field);
		case 'options':
			return toOptionsEntry(field);
		case 'rows':
			return toRowsEntry(field);
		case 'form':
			return toFormEntry(field);
		case 'notice': {
			const { containerClass } = field;
			return {
				type: 'notice',
				default: '',
				...(containerClass !== undefined && { typeOptions: { containerClass } }),
			};
		}
	}
}

function toNumberEntry(field: NumberField | SecondsField): Entry {
	const { range: [minValue, maxValue] = [], decimals } = field;
	const isSeconds = field.kind === 'seconds';
	if (!isSeconds && field.menu)
		return { type: 'options', options: [...field.menu], default: field.default };
	const isInteger = !isSeconds && field.isInteger === true;
	const typeOptions = omitUndefined({
		minValue: minValue ?? (isSeconds ? 0 : undefined),
		maxValue,
		numberPrecision: isInteger ? 0 : decimals,
	});
	const hasOptions = Object.keys(typeOptions).length > 0;
	return { type: 'number', default: field.default, ...(hasOptions && { typeOptions }) };
}

function toTextEntry({ default: defaultValue = '', isSecret, ...field }: TextField): Entry {
	return {
		type: 'string',
		default: defaultValue,
		...toRows(field),
		...(isSecret && { typeOptions: { password: true } }),
	};
}

function toRows({ rows }: Pick<TextField, 'rows'>) {
	return rows === undefined ? {} : { typeOptions: { rows } };
}

function toChoices(choices: Choices): INodePropertyOptions[] {
	return Object.entries(choices).map(([value, choice]) => {
		if (typeof choice === 'string') return { name: choice, value };
		if ('name' in choice) return { value, ...choice };
		const [name, description] = choice;
		return { name, value, description };
	});
}

/** Placeholder for IDs. */
export const ID_EXAMPLE = 'e.g. 1c7e55fb-1ba2-4e10-81b5-30addcea2276';

const BY_ID: LocatorMode = { displayName: 'By ID', placeholder: ID_EXAMPLE };

function toLocatorEntry({ label, search, placeholder, entered = ['id'] }: LocatorField): Entry {
	const article = /^[aeiou]/i.test(label) ? 'an' : 'a';
	return {
		type: 'resourceLocator',
		default: { mode: 'list', value: '' },
		modes: [
			{
				displayName: 'From List',
				name: 'list',
				type: 'list',
				placeholder: placeholder ?? `Select ${article} ${label.toLowerCase()}…`,
				typeOptions: { searchListMethod: search, searchable: true },
			},
			...entered.map((mode): INodePropertyMode => ({
				name: 'id',
				type: 'string',
				...(mode === 'id' ? BY_ID : mode),
			})),
		],
		// That of the list.
		placeholder: undefined,
	};
}

function toOptionsEntry({ entry, fields }: OptionsField): Entry {
	return {
		type: 'collection',
		placeholder: `Add ${entry}`,
		default: {},
		options: sortOptions(toProperties(fields)),
	};
}

/** Options that come first: a person who looks for files finds them without a search. */
const COMMON = [
	'Input Binary Fields',
	'Temperature',
	'Maximum Tokens',
	'Top P',
	'Context Size',
	'Stop Sequences',
];

/**
 * The common options, then timeouts, which slow hardware needs, then the others by name. n8n's editor keeps the order. A
 * person looks for an option by its name, so an option after others is found wherever it was defined.
 */
function sortOptions(options: INodeProperties[]): INodeProperties[] {
	return options.sort(
		(a, b) => getRank(a) - getRank(b) || a.displayName.localeCompare(b.displayName),
	);
}

function getRank({ displayName }: INodeProperties): number {
	const rank = COMMON.indexOf(displayName);
	if (rank !== -1) return rank;
	return COMMON.length + Number(!displayName.endsWith('Timeout (Seconds)'));
}

function toRowsEntry({ entry, fields, isSortable, ignoresFailedExpressions }: RowsField): Entry {
	return {
		type: 'fixedCollection',
		placeholder: `Add ${entry}`,
		default: {},
		typeOptions: {
			multipleValues: true,
			...omitUndefined({
				sortable: isSortable,
				ignoreCredentialExpressionResolveError: ignoresFailedExpressions,
			}),
		},
		options: [{ displayName: entry, name: getRowsName({ entry }), values: toProperties(fields) }],
	};
}

/** The name under which n8n stores the list of rows. */
export function getRowsName({ entry }: Pick<RowsField, 'entry'>): string {
	return entry.toLowerCase();
}

function toFormEntry({ load }: FormField): Entry {
	return {
		type: 'resourceMapper',
		noDataExpression: true,
		default: { mappingMode: 'defineBelow', value: null },
		typeOptions: {
			resourceMapper: {
				resourceMapperMethod: load,
				mode: 'add',
				fieldWords: { singular: 'field', plural: 'fields' },
				addAllFields: true,
				multiKeyMatch: false,
				supportAutoMap: false,
			},
		},
	};
}
