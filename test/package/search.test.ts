/**
 * Search results in n8n's list of nodes: n8n's own ranking (`@n8n/utils`), over items built like in its editor (n8n 2.41.1,
 * useActionsGeneration.ts and SearchItems): "Trigger" is removed from names, and triggers are merged with nodes of that name.
 */
import { createRequire } from 'node:module';
import process from 'node:process';
import { readRows } from '../support/files/rows';
import { loadNode, NODES, read } from './sources';

interface Item {
	key: string;
	properties: { displayName: string; description: string; codex: { alias: string[] } };
}

/** Characters that fit beside an icon in n8n's list of nodes. */
const ONE_LINE = 50;
const { sublimeSearch } = createRequire(`${process.cwd()}/package.json`)(
	'@n8n/utils/dist/search/sublime-search',
) as {
	sublimeSearch(text: string, items: Item[]): Array<{ item: Item }>;
};
const items: Item[] = [];

beforeAll(async () => {
	const triggers: Item[] = [];
	for (const folder of NODES) {
		const { alias } = JSON.parse(read(`nodes/${folder}/${folder}.node.json`)) as {
			alias: string[];
		};
		const { name, displayName, description, group } = (await loadNode(folder)).description;
		const searchEntry = {
			displayName: displayName.replace(/ Trigger$/, ''),
			description,
			codex: { alias },
		};
		(group.includes('trigger') ? triggers : items).push({ key: name, properties: searchEntry });
	}
	for (const trigger of triggers) {
		const joined = items.find(({ key }) => key === trigger.key.replace('Trigger', ''));
		if (joined === undefined) items.push(trigger);
		else joined.properties.description = trigger.properties.description;
	}
	// As in the editor, where the name decides between equal scores.
	const nameOf = ({ properties }: Item) => properties.displayName;
	items.sort((one, other) => nameOf(one).localeCompare(nameOf(other)));
});

const found = (text: string) => sublimeSearch(text, items).map(({ item }) => item.properties);

describe('a search in the list of nodes', () => {
	it.each(readRows(`${__dirname}/searches.tsv`))('for "%s" shows %s first', (text, first) => {
		expect(found(text!)[0]!.displayName).toBe(first);
	});

	it.each(['llama', 'local ai', 'self hosted', 'offline', 'llama.cpp', 'ollama', 'vllm'])(
		'for "%s" shows the nodes of models before the checks of a server',
		(text) => {
			const names = found(text).map(({ displayName }) => displayName);
			const models = names.filter((name) => name.startsWith('Local '));
			expect(models).toEqual(expect.arrayContaining(['Local Chat Model', 'Local Llama']));
			expect(names.slice(0, models.length)).toEqual(models);
		},
	);

	it('for "dify" shows every node of Dify, each with a different text', () => {
		const names = found('dify').map(({ displayName }) => displayName);
		const ofDify = items.filter(({ key }) => key.startsWith('dify'));
		expect(names).toEqual(
			expect.arrayContaining(ofDify.map(({ properties }) => properties.displayName)),
		);
		expect([...new Set(names)]).toEqual(names);
		expect(names).not.toContain('Dify');
	});

	it.each(['speak', 'embed', 'rerank'])('finds Local Llama by its task "%s"', (task) => {
		expect(found(task).map(({ displayName }) => displayName)).toContain('Local Llama');
	});

	it('has descriptions of one line for the nodes of models', () => {
		const long = items
			.filter(({ properties }) => properties.displayName.startsWith('Local '))
			.filter(({ properties }) => properties.description.length > ONE_LINE);
		expect(long).toEqual([]);
	});

	it('for nodes of Dify, descriptions begin with the purpose, because the nodes share an icon', () => {
		const ofDify = items.filter(({ key }) => key.startsWith('dify'));
		const first = ofDify.map(({ properties }) => properties.description.split(' ')[0]);
		expect(first.filter((word) => word === 'Dify')).toEqual([]);
		expect(new Set(ofDify.map(({ properties }) => properties.description)).size).toBe(first.length);
	});

	it('for "server health" says what the node does, and that it is a trigger too', () => {
		expect(found('server health')[0]!.description).toMatch(/^Checks whether .*starts the workflow/);
	});
});
