import * as fc from 'fast-check';
import {
	NodeHelpers,
	type INodeParameters,
	type INodeProperties,
	type INodeType,
	type INodeTypeDescription,
} from 'n8n-workflow';

import { group, optionsFields } from '../../../nodes/shared/options-field';
import { placesOf, NodeParameters } from '../../../nodes/shared/parameters';
import { fs, path, process } from '../../support/node';
import { everyOperation, type FilledNode } from '../../support/every-operation';
import { fakeContext } from '../../support/context';

const NODES = path.join(process.cwd(), 'nodes');
/** The common ones are told by what the editor calls them: an option of Dify's chunks has the name "maxTokens", too. */
const LABELS: Readonly<Record<string, string>> = { temperature: 'Temperature', topP: 'Top P' };
const option = (name: string): INodeProperties => ({
	displayName: LABELS[name] ?? name,
	name,
	type: 'number',
	default: 0,
});
const namesOf = ({ options = [] }: INodeProperties) => options.map(({ name }) => name);
const few = ['topP', 'minP', 'seed', 'temperature'].map(option);
const many = [...few, ...'abcdefghi'.split(''), 'topK', 'keepAlive'].map((one) =>
	typeof one === 'string' ? option(one) : one,
);
const ofSampling = group('Sampling', /^(minP|topK)$/, 'How the next token is chosen');
const ofServer = group('Server', /^keepAlive$/, 'What the server does');

/** The collections that an operation shows. */
function collectionsOf(description: INodeTypeDescription, { parameters }: FilledNode) {
	return description.properties.filter(
		(property) =>
			property.type === 'collection' &&
			NodeHelpers.displayParameter(parameters as never, property, null, description),
	);
}

describe('options', () => {
	it('that are few stand in one list, the common ones first', () => {
		const [whole, ...others] = optionsFields(few);
		expect(others).toEqual([]);
		expect(namesOf(whole!)).toEqual(['temperature', 'topP', 'minP', 'seed']);
	});

	it('that are many stand in groups where there are some, but one alone stays in the list', () => {
		expect(optionsFields(many).map(({ name }) => name)).toEqual(['options']);
		const [common, ...others] = optionsFields(many, { groups: [ofSampling, ofServer] });
		expect(others.map((one) => [one.name, namesOf(one), one.placeholder])).toEqual([
			['optionsSampling', ['minP', 'topK'], 'Add Sampling Option'],
		]);
		expect(namesOf(common!)).toEqual([
			'temperature',
			'topP',
			...'abcdefghi'.split(''),
			'keepAlive',
			'seed',
		]);
	});

	it('are read out of their group or the plain list', () => {
		const properties = optionsFields(many, { groups: [ofSampling] });
		const read = (parameters: Record<string, unknown>) =>
			new NodeParameters(fakeContext(parameters, {}).context, 0, properties).number(
				'options.minP',
				undefined,
			);
		expect(placesOf(properties, 'options', 'minP')).toEqual(['options', 'optionsSampling']);
		expect(placesOf(properties, 'options', 'seed')).toEqual(['options']);
		expect(read({ options: { minP: 1 } })).toBe(1);
		expect(read({ options: {}, optionsSampling: { minP: 2 } })).toBe(2);
		expect(read({ options: { minP: 0 }, optionsSampling: { minP: 2 } })).toBe(0);
		// A blank value hides none that is set.
		expect(read({ options: { minP: '' }, optionsSampling: { minP: 2 } })).toBe(2);
		expect(read({ options: { minP: 3 }, optionsSampling: { minP: null } })).toBe(3);
		expect(read({ options: { minP: '' }, optionsSampling: {} })).toBeUndefined();
	});

	it('n8n hands on no options that are text or a list; where they reach the node, they are read or refused', () => {
		const properties = optionsFields([option('minP'), option('topK')]);
		const read = (options: unknown) =>
			new NodeParameters({ getNodeParameter: () => options }, 0, properties).value('options.minP');
		for (const given of ['={{ {"minP": 1} }}', '{"minP": 1}', [{ minP: 1 }], 5])
			expect(
				NodeHelpers.getNodeParameters(
					properties,
					{ options: given } as INodeParameters,
					true,
					false,
					null,
					null,
				),
			).toEqual({ options: {} });
		fc.assert(
			fc.property(fc.jsonValue(), (value) => {
				expect(read({ minP: value })).toEqual(value);
				expect(read(JSON.stringify({ minP: value }))).toEqual(JSON.parse(JSON.stringify(value)));
				const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
				if (isObject || value === null || (typeof value === 'string' && /^\s*(?:\{|$)/.test(value)))
					return;
				expect(() => read(value)).toThrow('The field "Options" ');
			}),
		);
		expect([read(undefined), read(null), read('')]).toEqual([undefined, undefined, undefined]);
	});

	it('an option of JSON text that the node does not have is an error', () => {
		const properties = optionsFields([option('minP')]);
		const read = () =>
			new NodeParameters({ getNodeParameter: () => '{"min_p": 1}' }, 0, properties).value(
				'options.minP',
			);
		expect(read).toThrow('The field "Options" has no option "min_p"');
	});
});

/** The fields of an operation, as its code gets them. */
function fieldsOf(
	description: INodeTypeDescription,
	{ parameters }: FilledNode,
): INodeProperties[] {
	return description.properties.filter(({ displayOptions: { show = {} } = {} }) =>
		['resource', 'operation'].every(
			(name) => show[name]?.includes(parameters[name] as string) ?? true,
		),
	);
}

/** What n8n keeps of a node that has every option, each with the value that it has when it is added. */
function keptWithAll(description: INodeTypeDescription, filled: FilledNode) {
	const presets = (group: INodeProperties) =>
		Object.fromEntries((group.options as INodeProperties[]).map((one) => [one.name, one.default]));
	const groups = Object.fromEntries(
		collectionsOf(description, filled).map((group) => [group.name, presets(group)]),
	);
	const parameters = { ...filled.parameters, ...groups } as INodeParameters;
	const kept = NodeHelpers.getNodeParameters(
		description.properties,
		parameters,
		true,
		false,
		{ typeVersion: 1 },
		description,
	)!;
	expect(kept).toMatchObject(groups);
	return kept;
}

const folders = fs
	.readdirSync(NODES)
	.filter((folder) => fs.existsSync(path.join(NODES, folder, `${folder}.node.ts`)));

describe.each(folders)('the options of %s', (folder) => {
	it('are few in a group, each in one group, kept by n8n and read by the node', async () => {
		const exported = (await import(path.join(NODES, folder, `${folder}.node`))) as Record<
			string,
			new () => INodeType
		>;
		const { description } = new exported[folder]!();
		for (const filled of everyOperation(description)) {
			const groups = collectionsOf(description, filled).filter(({ name }) =>
				name.startsWith('options'),
			);
			for (const group of groups) {
				const names = namesOf(group);
				expect({ filled: filled.name, group: group.name, tooMany: names.slice(30) }).toMatchObject({
					tooMany: [],
				});
				if (names.includes('temperature')) expect(names[0]).toBe('temperature');
			}
			if (groups.length === 1) continue;
			const shown = groups.flatMap(namesOf).sort();
			expect([...new Set(shown)]).toEqual(shown);
			const { context } = fakeContext(keptWithAll(description, filled), {});
			const read = new NodeParameters(context, 0, fieldsOf(description, filled));
			const unread = shown.filter((name) => read.value(`options.${name}`) === undefined);
			expect({ filled: filled.name, unread }).toMatchObject({ unread: [] });
		}
	});
});
