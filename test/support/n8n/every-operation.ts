import { NodeHelpers } from 'n8n-workflow';
import type { INodeParameters, INodeProperties, INodeTypeDescription } from 'n8n-workflow';

/** A node with a valid set of parameters. */
export interface FilledNode {
	/** Node, resource and operation. */
	name: string;
	type: string;
	typeVersion: number;
	parameters: Record<string, unknown>;
	/** Names of the options that it offers. */
	options: string[];
	/** Labels of its fields and options. */
	labels: string[];
	/** Its fields, in the order of the panel. */
	fields: INodeProperties[];
	/** Credential types that it uses with these parameters. */
	credentials: string[];
}

/** Parameters that decide which fields a node shows: all combinations are tried. */
const CHOICES = ['service', 'resource', 'operation'];

const ID = '3f1c9e52-7a40-4b0c-9d1e-5b2f8a6c7d90';

/** The node with each of its services, resources and operations, and every required field filled in. */
export function everyOperation(description: INodeTypeDescription): FilledNode[] {
	const typeVersion = [description.version].flat().at(-1)!;
	const filled: FilledNode[] = [];
	const choose = (chosen: INodeParameters) => {
		const visibleFields = shownFields(description, chosen);
		const open = CHOICES.find(
			(name) => !(name in chosen) && visibleFields.some((field) => field.name === name),
		);
		if (open === undefined) {
			filled.push({
				name: [description.displayName, ...Object.values(chosen)].join(' '),
				type: description.name,
				typeVersion,
				parameters: parametersOf(description, chosen),
				options: visibleFields
					.filter(({ name }) => name === 'options')
					.flatMap(({ options = [] }) => options.map(({ name }) => name)),
				labels: visibleFields.flatMap(getLabels),
				fields: visibleFields,
				credentials: (description.credentials ?? [])
					.filter((one) => NodeHelpers.displayParameter(chosen, one, null, description))
					.map(({ name }) => name),
			});
			return;
		}
		const { options = [] } = visibleFields.find((field) => field.name === open)!;
		for (const option of options)
			if ('value' in option) choose({ ...chosen, [open]: option.value as string });
	};
	choose({});
	return filled;
}

/** Labels of a field and of the fields inside it. */
export function getLabels({ displayName, options = [] }: INodeProperties): string[] {
	const inner = options.flatMap((option) => {
		if ('values' in option) return [option.displayName, ...option.values.flatMap(getLabels)];
		return 'displayName' in option ? getLabels(option) : [];
	});
	return [displayName, ...inner];
}

/** Low time limits (in seconds) and retries. */
const LOW: Readonly<Record<string, INodeParameters>> = {
	options: {
		firstTokenTimeout: 30,
		idleTimeout: 30,
		totalTimeout: 60,
		timeLimit: 60,
		timeout: 30,
		wait: 1,
		maxRetries: 0,
	},
	limits: { timeLimit: 60 },
};

/** Values of fields for which a text is not valid, by operation. */
const WANTED: Readonly<Record<string, INodeParameters>> = {
	'Local Llama text classify': { labels: { label: [{ name: 'invoice' }, { name: 'offer' }] } },
	'Local Llama text decide': {
		questions: {
			question: [
				{
					name: 'llama',
					type: 'choice',
					question: 'Which one?',
					options: `${ID}\nother`,
				},
			],
		},
	},
	'Local Llama text extract': { fields: { field: [{ name: 'city' }] } },
	'Dify Knowledge chunk update': { options: { enabled: true } },
	'Dify Knowledge knowledgeBase update': { options: { name: 'Papers' } },
	'Dify Knowledge knowledgeBase delete': { confirm: true },
	'Dify Knowledge metadata set': {
		values: { value: [{ field: 'city', value: 'Quito' }] },
	},
};

/** The same with valid values and low limits, so that it ends soon when a server keeps failing. */
export function withLowLimits(filled: FilledNode): FilledNode {
	const parameters = { ...filled.parameters };
	const offered = Object.entries(LOW.options!).filter(([name]) => filled.options.includes(name));
	const low = { ...LOW, options: Object.fromEntries(offered) };
	for (const [name, limits] of Object.entries(low))
		if (name in parameters)
			parameters[name] = { ...(parameters[name] as INodeParameters), ...limits };
	for (const name of ['wait', 'waitTimeout'])
		if (typeof parameters[name] === 'number') parameters[name] = 1;
	return { ...filled, parameters: { ...parameters, ...WANTED[filled.name] } };
}

/** Whether a default is empty or an expression. */
const isOpen = (value: unknown) => typeof value === 'string' && /^(?:$|=)/.test(value);

function textFor({ name, type }: INodeProperties): string {
	if (name === 'tokens') return '[1,2,3]';
	if (type === 'json') return '{}';
	return name.startsWith('binary') ? 'data' : ID;
}

function valuesOf(description: INodeTypeDescription, chosen: INodeParameters): INodeParameters {
	return (
		NodeHelpers.getNodeParameters(description.properties, chosen, true, false, null, description) ??
		{}
	);
}

function shownFields(
	description: INodeTypeDescription,
	chosen: INodeParameters,
): INodeProperties[] {
	const values = valuesOf(description, chosen);
	return description.properties.filter((field) =>
		NodeHelpers.displayParameter(values, field, null, description),
	);
}

function parametersOf(description: INodeTypeDescription, chosen: INodeParameters): INodeParameters {
	const values = { ...valuesOf(description, chosen) };
	for (const field of shownFields(description, chosen)) {
		const value = values[field.name];
		if (field.type === 'resourceLocator') {
			const mode = field.modes?.find(({ name }) => name !== 'list')?.name ?? 'list';
			values[field.name] = { __rl: true, mode, value: ID };
		} else if (value === undefined || isOpen(value)) values[field.name] = textFor(field);
	}
	return values;
}
