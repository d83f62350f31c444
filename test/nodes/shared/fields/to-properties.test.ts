import { NodeHelpers } from 'n8n-workflow';
import type { INodeProperties, INodeType } from 'n8n-workflow';
import * as fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';

import type { FieldTable } from '../../../../lib/fields/field';
import { optionsField } from '../../../../nodes/shared/fields/options-field';
import { toProperties } from '../../../../nodes/shared/fields/to-properties';
import { everyOperation } from '../../../support/n8n/every-operation';

const NODES = path.join(process.cwd(), 'nodes');
const folders = fs
	.readdirSync(NODES)
	.filter((folder) => fs.existsSync(path.join(NODES, folder, `${folder}.node.ts`)));

const namesOf = ({ options = [] }: INodeProperties) => options.map(({ name }) => name);

test('a choice is a label, or a label and a description', () => {
	const [property] = toProperties({
		action: {
			kind: 'choice',
			label: 'Action',
			default: 'archive',
			choices: { archive: 'Archive', disable: ['Disable', 'Searches no longer find it'] },
		},
	});
	expect(property!.options).toEqual([
		{ name: 'Archive', value: 'archive' },
		{ name: 'Disable', value: 'disable', description: 'Searches no longer find it' },
	]);
});

test('options form one list, the common ones first, then timeouts, then the others by name', () => {
	const labels = ['Top P', 'Seed', 'Temperature', 'Min P', 'Total Timeout (Seconds)'];
	const fields: FieldTable = Object.fromEntries(
		labels.map((label) => [label, { kind: 'number', label, default: 0 }]),
	);
	const [property] = toProperties({ options: optionsField(fields) });
	expect(namesOf(property!)).toEqual([
		'Temperature',
		'Top P',
		'Total Timeout (Seconds)',
		'Min P',
		'Seed',
	]);
});

test.each(folders)(
	'the options of %s are one list that begins with the common ones',
	async (folder) => {
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
			// Files are part of what is asked, so their option comes before those of the response.
			const [first] = names.filter((name) => name !== 'binaryFields');
			if (names.includes('temperature')) expect(first).toBe('temperature');
		}
	},
);
