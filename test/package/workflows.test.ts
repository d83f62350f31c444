import type { INodeType, INodeTypeDescription } from 'n8n-workflow';

import { brokenByN8n3, N8N_3_RULES } from '../support/n8n-3-rules';
import * as fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {
	layoutProblems,
	parameterProblems,
	privateProblems,
	wiringProblems,
	type Description,
} from '../support/workflow-check';
import type { Workflow, WorkflowNode } from '../../scripts/lib/types';
import { headingsOf } from './markdown';

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
	const folders = fs
		.readdirSync(path.join(ROOT, 'nodes'))
		.filter((folder) => fs.existsSync(path.join(ROOT, 'nodes', folder, `${folder}.node.ts`)));
	for (const folder of folders) {
		const exported = (await import(path.join(ROOT, 'nodes', folder, `${folder}.node`))) as Record<
			string,
			new () => INodeType
		>;
		const { description } = new exported[folder]!();
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
		expect(read(file).nodes.some(({ type }) => type.startsWith(PREFIX))).toBe(true);
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

describe('the check itself', () => {
	const NODE: WorkflowNode = {
		id: '1',
		name: 'N',
		type: 'x',
		typeVersion: 1,
		position: [0, 0],
		parameters: {},
	};
	const touched = (node: object, settings = {}) =>
		brokenByN8n3(
			{ name: 'W', nodes: [{ ...NODE, ...node }], connections: {}, settings },
			outputsOf,
		).map((hit) => hit.replace(': N', ''));
	const LANGCHAIN = '@n8n/n8n-nodes-langchain.';
	const BASE = 'n8n-nodes-base.';

	it.each<[string, object]>([
		['agent-node-version-v3', { type: `${LANGCHAIN}agent`, typeVersion: 1.7 }],
		['agent-removed-modes-v3', { type: `${LANGCHAIN}agent`, typeVersion: 1.5 }],
		[
			'agent-removed-modes-v3',
			{ type: `${LANGCHAIN}agent`, typeVersion: 1.9, parameters: { agent: 'sqlAgent' } },
		],
		['ai-transform-deprecated', { type: `${BASE}aiTransform` }],
		[
			'always-output-data-multi-output-v3',
			{ type: `${PREFIX}serverHealth`, alwaysOutputData: true },
		],
		[
			'always-output-data-multi-output-v3',
			{ onError: 'continueErrorOutput', alwaysOutputData: true },
		],
		[
			'chat-trigger-embedded-json-v3',
			{ type: `${LANGCHAIN}chatTrigger`, parameters: { mode: 'webhook' } },
		],
		[
			'execute-workflow-each-mode-v3',
			{ type: `${BASE}executeWorkflow`, parameters: { mode: 'each' } },
		],
		[
			'execute-workflow-source-modes-v3',
			{ type: `${BASE}executeWorkflow`, parameters: { source: 'url' } },
		],
		['get-paired-item-v3', { parameters: { a: ['={{ $getPairedItem() }}'] } }],
		['gmail-trigger-version-v3', { type: `${BASE}gmailTrigger`, typeVersion: 1.3 }],
		['removed-nodes-v3', { type: `${LANGCHAIN}memoryZep` }],
		['cron-removed-v3', { type: `${BASE}cron` }],
	])('finds a violation of the rule %s of n8n 3', (rule, node) => {
		expect(touched(node)).toEqual([rule]);
	});

	it('has as many rules of n8n 3 as 2.41.1, and finds nothing in a valid node', () => {
		expect(Object.keys(N8N_3_RULES)).toHaveLength(39);
		expect(touched({}, { callerPolicy: 'any' })).toEqual(['caller-policy-any-removed-v3']);
		expect(touched({ type: `${LANGCHAIN}agent`, typeVersion: 2.2 })).toEqual([]);
		expect(touched({ type: `${PREFIX}localLlama`, alwaysOutputData: true })).toEqual([]);
	});

	const SOUND: Workflow = {
		name: 'Sound',
		nodes: [
			{
				id: '1',
				name: 'Note',
				type: 'n8n-nodes-base.stickyNote',
				typeVersion: 1,
				position: [-320, 0],
				parameters: { content: 'What this needs' },
			},
			{
				id: '2',
				name: 'Chat',
				type: '@n8n/n8n-nodes-langchain.chatTrigger',
				typeVersion: 1.3,
				position: [0, 0],
				parameters: {},
				webhookId: 'chat',
			},
			{
				id: '3',
				name: 'Agent',
				type: '@n8n/n8n-nodes-langchain.agent',
				typeVersion: 3,
				position: [208, 0],
				parameters: {},
			},
			{
				id: '4',
				name: 'Model',
				type: `${PREFIX}localChatModel`,
				typeVersion: 1,
				position: [208, 224],
				parameters: {
					model: { __rl: true, mode: 'list', value: '' },
					responseFormat: 'jsonSchema',
					jsonSchema: '{}',
					options: { temperature: 0.2, topP: '={{ 0.5 }}' },
				},
			},
		],
		connections: {
			Chat: { main: [[{ node: 'Agent', type: 'main', index: 0 }]] },
			Model: { ai_languageModel: [[{ node: 'Agent', type: 'ai_languageModel', index: 0 }]] },
		},
	};
	/** SOUND with one node changed. */
	const changed = (name: string, change: Partial<WorkflowNode>): Workflow => ({
		...SOUND,
		nodes: SOUND.nodes.map((node) => (node.name === name ? { ...node, ...change } : node)),
	});
	const model = (parameters: Record<string, unknown>) => changed('Model', { parameters });

	it('finds no problem in a correct workflow', () => {
		expect(problemsOf(SOUND)).toEqual([]);
	});

	it.each<[string, Workflow, string]>([
		[
			'an unknown node of ours',
			changed('Model', { type: `${PREFIX}localChatModle` }),
			'which does not exist',
		],
		[
			'a tool of a node that cannot be one',
			changed('Model', { type: `${PREFIX}localChatModelTool` }),
			'which does not exist',
		],
		['an unknown version', changed('Model', { typeVersion: 99 }), '"Model" has version 99'],
		[
			"an unknown node of n8n's",
			changed('Agent', { type: '@n8n/n8n-nodes-langchain.agnt' }),
			'does not list',
		],
		[
			'a version that the oldest n8n lacks',
			changed('Chat', { typeVersion: 1.5 }),
			'not every supported n8n',
		],
		[
			'a parameter that does not exist',
			model({ temperature: 1 }),
			'has no parameter "temperature"',
		],
		[
			'an option that does not exist',
			model({ options: { temprature: 1 } }),
			'has no parameter "options.temprature"',
		],
		[
			'a field that other settings hide',
			model({ grammar: 'root ::= "a"' }),
			'does not show the parameter "grammar"',
		],
		[
			'a choice that does not exist',
			model({ thinking: 'hard' }),
			'does not know "hard" for "thinking"',
		],
		['a model that is no locator', model({ model: 'qwen' }), 'wants a resource locator'],
		[
			'a mode that does not exist',
			model({ model: { __rl: true, mode: 'url', value: '' } }),
			'has no mode "url"',
		],
		[
			'a credential',
			changed('Model', { credentials: { localLlamaApi: { id: '1', name: 'Mine' } } }),
			'"Model" holds a credential',
		],
		[
			'a key',
			changed('Note', { parameters: { content: 'use app-abcdefghijklmnop1234' } }),
			'looks like a key',
		],
		['pinned data', { ...SOUND, pinData: { Chat: [{}] } }, 'pinned data'],
		['the id of an n8n', { ...SOUND, meta: { instanceId: 'abc' } }, 'the id of the n8n'],
		['nodes on one another', changed('Agent', { position: [64, 32] }), '"Chat" overlaps "Agent"'],
		['a note across a node', changed('Note', { position: [-64, -64] }), '"Note" overlaps "Chat"'],
		['notes that cannot be read', changed('Chat', { position: [4000, 0] }), 'is so large'],
		['a node beside the grid', changed('Chat', { position: [0, 1] }), 'beside the grid'],
		['no note', { ...SOUND, nodes: SOUND.nodes.slice(1) }, 'has no sticky note'],
		['a name used twice', changed('Chat', { name: 'Agent' }), 'has two nodes "Agent"'],
		[
			'a connection that leads nowhere',
			changed('Model', { name: 'Other' }),
			'connects "Model", which does not exist',
		],
		[
			'an expression that leads nowhere',
			changed('Agent', { parameters: { text: '={{ $("Chatt").item.json.chatInput }}' } }),
			"reads $('Chatt')",
		],
		[
			'a node that is not connected',
			{ ...SOUND, connections: { Chat: SOUND.connections.Chat! } },
			'leaves "Model" unconnected',
		],
	])('finds %s', (_what, workflow, problem) => {
		expect(problemsOf(workflow).join('\n')).toContain(problem);
	});

	it('allows a sticky note around nodes', () => {
		const framed = changed('Note', {
			position: [-16, -64],
			parameters: { width: 160, height: 240 },
		});
		expect(problemsOf(framed)).toEqual([]);
	});

	it('checks groups of fields', () => {
		const description: Description = {
			name: 'grouped',
			properties: [
				{
					displayName: 'Rows',
					name: 'rows',
					type: 'fixedCollection',
					typeOptions: { multipleValues: true },
					default: {},
					options: [
						{
							displayName: 'Row',
							name: 'row',
							values: [{ displayName: 'Name', name: 'name', type: 'string', default: '' }],
						},
					],
				},
			],
		};
		const node = (parameters: Record<string, unknown>): WorkflowNode => ({
			id: '1',
			name: 'Node',
			type: 'grouped',
			typeVersion: 1,
			position: [0, 0],
			parameters,
		});
		expect(parameterProblems(node({ rows: { row: [{ name: 'a' }] } }), description)).toEqual([]);
		expect(parameterProblems(node({ rows: { row: [{ nam: 'a' }] } }), description)).toEqual([
			'has no parameter "rows.row[0].nam"',
		]);
		expect(parameterProblems(node({ rows: { line: [] } }), description)).toEqual([
			'has no parameter "rows.line"',
		]);
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
	expect(all.length).toBeGreaterThan(500);
	expect(all.filter(([, value]) => /^=(?!\{\{[^]*\}\}$)/.test(String(value)))).toEqual([]);
});
