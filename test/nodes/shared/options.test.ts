import type { INodeProperties, INodeType } from 'n8n-workflow';
import { NodeHelpers } from 'n8n-workflow';

import { optionsCollection } from '../../../nodes/shared/field-builders';
import { NodeParameters } from '../../../nodes/shared/parameters';
import { everyOperation } from '../../support/every-operation';
import { fs, path, process } from '../../support/node-builtins';

const NODES = path.join(process.cwd(), 'nodes');
/** Common options are identified by label: an option of Dify's chunks has the name "maxTokens", too. */
const LABELS: Readonly<Record<string, string>> = { temperature: 'Temperature', topP: 'Top P' };
const option = (name: string): INodeProperties => ({
	displayName: LABELS[name] ?? name,
	name,
	type: 'number',
	default: 0,
});
const namesOf = ({ options = [] }: INodeProperties) => options.map(({ name }) => name);

test('options form one list, the common ones first', () => {
	const list = optionsCollection(['topP', 'seed', 'temperature', 'minP'].map(option));
	expect(namesOf(list)).toEqual(['temperature', 'topP', 'minP', 'seed']);
});

test('a collection of another form counts as empty, as in n8n', () => {
	const properties = [optionsCollection([option('minP')])];
	const read = (options: unknown) =>
		new NodeParameters({ getNodeParameter: () => options }, 0, properties).value('options.minP');
	expect(read({ minP: 1 })).toBe(1);
	for (const given of ['{"minP": 1}', [{ minP: 1 }], 5, null, undefined])
		expect(read(given)).toBeUndefined();
});

const folders = fs
	.readdirSync(NODES)
	.filter((folder) => fs.existsSync(path.join(NODES, folder, `${folder}.node.ts`)));

test.each(folders)('the options of %s are one list of at most 30', async (folder) => {
	const exported = (await import(path.join(NODES, folder, `${folder}.node`))) as Record<
		string,
		new () => INodeType
	>;
	const { description } = new exported[folder]!();
	for (const filled of everyOperation(description)) {
		const lists = description.properties.filter(
			(property) =>
				property.type === 'collection' &&
				property.name.startsWith('options') &&
				NodeHelpers.displayParameter(filled.parameters as never, property, null, description),
		);
		expect({ filled: filled.name, lists: lists.slice(1) }).toMatchObject({ lists: [] });
		const names = lists.flatMap(namesOf);
		expect({ filled: filled.name, tooMany: names.slice(30) }).toMatchObject({ tooMany: [] });
		if (names.includes('temperature')) expect(names[0]).toBe('temperature');
	}
});
