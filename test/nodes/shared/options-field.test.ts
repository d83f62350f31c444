import * as fc from 'fast-check';
import {
	NodeHelpers,
	type INodeParameters,
	type INodeProperties,
	type INodeType,
	type INodeTypeDescription,
} from 'n8n-workflow';

import { optionsFields, placesOf } from '../../../nodes/shared/options-field';
import { NodeParameters } from '../../../nodes/shared/parameters';
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
const many = [...few, ...'abcdefghi'.split('').map(option)];

/** The collections that an operation shows in nodes of a version. */
function collectionsOf(
	description: INodeTypeDescription,
	{ parameters }: FilledNode,
	typeVersion: number,
) {
	return description.properties.filter(
		(property) =>
			property.type === 'collection' &&
			NodeHelpers.displayParameter(parameters as never, property, { typeVersion }, description),
	);
}

describe('options', () => {
	it('that are few stand in one list, the common ones first', () => {
		const [whole, ...others] = optionsFields(few);
		expect(others).toEqual([]);
		expect(namesOf(whole!)).toEqual(['temperature', 'topP', 'minP', 'seed']);
	});

	it('that are many stand in groups, and in one list for nodes of version 1', () => {
		const [old, ...groups] = optionsFields(many);
		expect([...namesOf(old!)].sort()).toEqual(many.map(({ name }) => name).sort());
		expect(groups.map((group) => [group.name, namesOf(group)])).toEqual([
			['options', ['temperature', 'topP', ...'abcdefghi'.split(''), 'seed']],
			['optionsSampling', ['minP']],
		]);
	});

	it('have a button that names what it adds: an option that is alone in its group, else the group', () => {
		const placeholders = (options: INodeProperties[]) =>
			optionsFields(options).map(({ placeholder }) => placeholder);
		expect(placeholders(many)).toEqual(['Add Option', 'Add Option', 'Add minP']);
		expect(placeholders([...many, option('topK')])).toEqual([
			'Add Option',
			'Add Option',
			'Add Sampling Option',
		]);
	});

	it('are read out of their group, the list of all, or an expression that gives either', () => {
		const properties = optionsFields(many);
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
function storedWithAll(description: INodeTypeDescription, filled: FilledNode, typeVersion: number) {
	const presets = (group: INodeProperties) =>
		Object.fromEntries((group.options as INodeProperties[]).map((one) => [one.name, one.default]));
	const groups = collectionsOf(description, filled, typeVersion).map((group) => [
		group.name,
		presets(group),
	]);
	const given = {
		...filled.parameters,
		...(Object.fromEntries(groups) as object),
	} as INodeParameters;
	const kept = NodeHelpers.getNodeParameters(
		description.properties,
		given,
		true,
		false,
		{ typeVersion },
		description,
	)!;
	expect(kept).toMatchObject(Object.fromEntries(groups) as object);
	return kept;
}

const folders = fs
	.readdirSync(NODES)
	.filter((folder) => fs.existsSync(path.join(NODES, folder, `${folder}.node.ts`)));

describe.each(folders)('the options of %s', (folder) => {
	it('are at most twelve in a group, each in one group, and the groups have those of the one list', async () => {
		const exported = (await import(path.join(NODES, folder, `${folder}.node`))) as Record<
			string,
			new () => INodeType
		>;
		const { description } = new exported[folder]!();
		const versions = [description.version].flat();
		for (const filled of everyOperation(description)) {
			const groups = collectionsOf(description, filled, versions.at(-1)!);
			for (const group of groups) {
				const names = namesOf(group);
				expect({ filled: filled.name, group: group.name, tooMany: names.slice(12) }).toMatchObject({
					tooMany: [],
				});
				if (names.includes('temperature')) expect(names[0]).toBe('temperature');
			}
			// Few enough for one list, whatever the version.
			if (collectionsOf(description, filled, 1).length === groups.length) continue;
			const shown = groups.flatMap(namesOf).sort();
			expect([...new Set(shown)]).toEqual(shown);
			const stored = versions.map((version) => storedWithAll(description, filled, version));
			const [first, ...others] = stored.map((parameters) => {
				const { context } = fakeContext(parameters, {});
				const read = new NodeParameters(context, 0, fieldsOf(description, filled));
				return shown.map((name) => [name, read.value(`options.${name}`)]);
			});
			for (const other of others)
				expect({ filled: filled.name, other }).toEqual({ filled: filled.name, other: first });
			expect(first!.filter(([, value]) => value === undefined)).toEqual([]);
		}
	});
});
