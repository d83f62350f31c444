import type { INodeTypeDescription } from 'n8n-workflow';

import { brokenByN8n3 } from '../support/n8n/n8n-3-rules';
import * as fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {
	layoutProblems,
	parameterProblems,
	privateProblems,
	wiringProblems,
} from '../support/n8n/workflow-check';
import type { Workflow, WorkflowNode } from '../../scripts/lib/types';
import { headingsOf } from './markdown';
import { loadNode, NODES } from './sources';

const ROOT = process.cwd();
const FOLDER = path.join(ROOT, 'workflows');
const PREFIX = 'CUSTOM.';
/** `npm start` uses the headings of workflows/README.md as tags. */
const MAX_TAG_LENGTH = 24;

/**
 * n8n's own nodes that examples may use, with versions that the oldest and the newest supported n8n have. Their parameters
 * are checked with the real n8n: test/e2e/workflows.test.ts.
 */
const N8N_NODES = JSON.parse(
	fs.readFileSync(path.join(ROOT, 'test', 'package', 'n8n-nodes.json'), 'utf8'),
) as Record<string, number[]>;

const files = fs.readdirSync(FOLDER).filter((file) => file.endsWith('.json'));
const read = (file: string) =>
	JSON.parse(fs.readFileSync(path.join(FOLDER, file), 'utf8')) as Workflow;
const descriptions = new Map<string, INodeTypeDescription>();

beforeAll(async () => {
	for (const folder of NODES) {
		const { description } = await loadNode(folder);
		descriptions.set(description.name, description);
	}
});

/** An agent's tool is the same node under another name. */
function ownDescription(type: string): INodeTypeDescription | undefined {
	const name = type.slice(PREFIX.length);
	const tool = descriptions.get(name.replace(/Tool$/, ''));
	return descriptions.get(name) ?? (tool?.usableAsTool === undefined ? undefined : tool);
}

/** n8n's own nodes with two main outputs. */
const TWO_OUTPUTS = /\.(?:if|switch|splitInBatches|textClassifier|compareDatasets)$/;

function outputsOf(type: string): unknown {
	const own = type.startsWith(PREFIX) ? ownDescription(type)?.outputs : undefined;
	return own ?? (TWO_OUTPUTS.test(type) ? ['main', 'main'] : ['main']);
}

function typeProblems({ name, type, typeVersion, parameters, ...rest }: WorkflowNode): string[] {
	const of = (problems: string[]) => problems.map((problem) => `"${name}" ${problem}`);
	if (!type.startsWith(PREFIX)) {
		const versions = N8N_NODES[type];
		if (versions === undefined)
			return of([`is of the type ${type}, which test/package/n8n-nodes.json does not list`]);
		return versions.includes(typeVersion)
			? []
			: of([`has version ${typeVersion} of ${type}, which not every supported n8n knows`]);
	}
	const description = ownDescription(type);
	if (description === undefined) return of([`is of the type ${type}, which does not exist`]);
	if (![description.version].flat().includes(typeVersion))
		return of([`has version ${typeVersion}, which does not exist`]);
	return of(parameterProblems({ name, type, typeVersion, parameters, ...rest }, description));
}

/** All static checks of a workflow. */
const problemsOf = (workflow: Workflow) => [
	...workflow.nodes.flatMap(typeProblems),
	...wiringProblems(workflow),
	...layoutProblems(workflow),
	...privateProblems(workflow),
];

describe('example workflows', () => {
	it.each(files)('%s is valid', (file) => {
		expect(problemsOf(read(file))).toEqual([]);
	});

	it.each(files)('no rule of n8n for version 3 applies to %s', (file) => {
		expect(brokenByN8n3(read(file), outputsOf)).toEqual([]);
	});

	it.each(files)('%s shows a node of this package', (file) => {
		expect(read(file).nodes.map(({ type }) => type)).toContainEqual(
			expect.stringContaining(PREFIX),
		);
	});

	it.each(files)('%s has one name: of the file, the workflow, its note and its row', (file) => {
		const { name, nodes } = read(file);
		const words = name.toLowerCase().replace(/[^a-z0-9 -]/g, '');
		expect(`${words.replaceAll(' ', '-')}.json`).toBe(file);
		const [note] = nodes.filter(({ type }) => type === 'n8n-nodes-base.stickyNote');
		expect(String(note!.parameters.content).split('\n')[0]).toBe(`## ${name}`);
		for (const page of ['README.md', 'README.zh-CN.md'])
			expect(fs.readFileSync(path.join(FOLDER, page), 'utf8')).toContain(`| [${name}](${file})`);
	});

	it('have the newest version of each node of this package', () => {
		const old = files.flatMap((shipped) =>
			read(shipped)
				.nodes.filter(({ type }) => type.startsWith(PREFIX))
				.filter(
					({ type, typeVersion }) => typeVersion !== [ownDescription(type)!.version].flat().at(-1),
				)
				.map(({ name }) => `${shipped}: ${name}`),
		);
		expect(old).toEqual([]);
	});

	it('each have one row in workflows/README.md, below a purpose that n8n accepts as a tag', () => {
		const sections = headingsOf(fs.readFileSync(path.join(FOLDER, 'README.md'), 'utf8'));
		const purposes = sections.flatMap(({ title, text }) =>
			[...text.matchAll(/^\| \[[^\]]+\]\(([\w-]+\.json)\)/gm)].map(([, file]) => [file!, title]),
		);
		expect(purposes.map(([file]) => file).sort()).toEqual([...files].sort());
		expect(purposes.filter(([, title]) => title!.length > MAX_TAG_LENGTH)).toEqual([]);
	});
});

/** All option values and defaults in a description, with their fields. */
function valuesIn(node: unknown, where: string): Array<[string, unknown]> {
	if (Array.isArray(node)) return node.flatMap((each) => valuesIn(each, where));
	if (typeof node !== 'object' || node === null) return [];
	const here = node as Record<string, unknown>;
	const path = `${where}.${String(here.name ?? here.displayName ?? '')}`;
	const own = ['value', 'default']
		.filter((key) => typeof here[key] === 'string')
		.map((key) => [path, here[key]]);
	return [
		...(own as Array<[string, unknown]>),
		...Object.values(here).flatMap((each) => valuesIn(each, path)),
	];
}

/** n8n evaluates texts that begin with "=", so such an option could not be chosen. */
test('no option value or default begins with "=", except for expressions', () => {
	const all = [...descriptions.values()].flatMap(({ name, properties }) =>
		valuesIn(properties, name),
	);
	expect(all).not.toEqual([]);
	expect(all.filter(([, value]) => /^=(?!\{\{[^]*\}\}$)/.test(String(value)))).toEqual([]);
});
