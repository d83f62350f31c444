import type { INodeProperties, INodePropertyOptions } from 'n8n-workflow';

import * as fs from 'node:fs';
import { loadNode, NODES } from './sources';

interface Operation {
	node: string;
	/** Empty in a node without resources. */
	resource: string;
	operation: string;
}

async function listsOf(node: string): Promise<INodeProperties[]> {
	const { properties } = (await loadNode(node)).description;
	return properties.filter(({ name }) => name === 'operation');
}

const optionsOf = async (node: string): Promise<INodePropertyOptions[]> =>
	(await listsOf(node)).flatMap(({ options = [] }) => options as INodePropertyOptions[]);

async function operationsOf(node: string): Promise<Operation[]> {
	const lists = await listsOf(node);
	return lists.flatMap(({ options = [], displayOptions }) =>
		(options as INodePropertyOptions[]).map(({ value }) => ({
			node,
			resource: String(displayOptions?.show?.resource?.[0] ?? ''),
			operation: String(value),
		})),
	);
}

const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const testsOf = (node: string) =>
	fs
		.readdirSync(`test/nodes/${node}`, { recursive: true, encoding: 'utf8' })
		.filter((name) => name.endsWith('.test.ts'))
		.map((name) => ({ name, text: fs.readFileSync(`test/nodes/${node}/${name}`, 'utf8') }));

/** A test of its own: its file is named after the operation, or it names it, and its resource in folder or text. */
function isTested({ node, resource, operation }: Operation): boolean {
	const isNamedAfter = (name: string) => name.split(/[./]/).includes(kebab(operation));
	const isAbout = (name: string, text: string) =>
		resource === '' || name.startsWith(`${kebab(resource)}/`) || text.includes(`'${resource}'`);
	return testsOf(node).some(
		({ name, text }) =>
			isNamedAfter(name) || (isAbout(name, text) && text.includes(`'${operation}'`)),
	);
}

test('the list of operations shows their complete descriptions', async () => {
	const options = (await Promise.all(NODES.map(optionsOf))).flat();
	expect(options.filter(({ description = '' }) => description.length > 90)).toEqual([]);
});

test('every operation of a node has its own test in test/nodes', async () => {
	const operations = (await Promise.all(NODES.map(operationsOf))).flat();
	expect(operations).not.toEqual([]);
	expect(operations.filter((each) => !isTested(each))).toEqual([]);
});
