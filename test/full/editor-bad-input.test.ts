/** What the editor loads and shows with half-filled panels, and with saved values that no field has. */
import type { INodeProperties, INodePropertyMode, INodeTypeDescription } from 'n8n-workflow';

import { appKey, startDifySim } from '../simulators/dify';
import type { DifySim } from '../simulators/dify';
import { startLlamaServerSim } from '../simulators/llama-server';
import type { LlamaServerSim } from '../simulators/llama-server';
import { openEditor } from '../e2e/support/editor';
import type { Editor } from '../e2e/support/editor';
import { llamaCredential, startN8n, stopEverything } from '../e2e/support/playground';
import type { N8nServer } from '../e2e/support/playground';
import { MANUAL, spread, workflowOf } from '../e2e/support/workflows';

/** Nothing listens on this port. */
const NOWHERE = 'http://127.0.0.1:9';

interface Named {
	id: string;
	name: string;
}

/** A list that the editor loads. */
interface Door {
	type: string;
	method: string;
	/** The last part of n8n's address for this kind of list. */
	route: 'resource-locator-results' | 'options' | 'resource-mapper-fields';
	/** Where the field is. */
	path: string;
	/** Names of the fields of the node. */
	fields: readonly string[];
}

let n8n: N8nServer;
let sim: LlamaServerSim;
let dify: DifySim;
let types: INodeTypeDescription[];
/** Credentials by the name of their type and what they lead to. */
let credentials: Record<string, Record<string, Named>>;

beforeAll(async () => {
	[n8n, sim, dify] = await Promise.all([
		startN8n(),
		startLlamaServerSim(),
		startDifySim({ apps: [{ mode: 'chat', key: appKey('chat') }] }),
	]);
	types = (await n8n.nodeTypes()).filter(
		({ name }) => name.startsWith('CUSTOM.') && !name.endsWith('Tool'),
	) as unknown as INodeTypeDescription[];
	const llama = async (name: string, url: string) =>
		await n8n.createCredential({ ...llamaCredential({ url }), id: undefined, name });
	const difyWith = async (name: string, baseUrl: string) =>
		await n8n.createCredential({
			name,
			type: 'difyApi',
			data: { baseUrl, apiKey: appKey('chat'), keyType: 'app', ignoreSslIssues: false },
		});
	credentials = {
		localLlamaApi: {
			works: await llama('Llama', sim.url),
			'is down': await llama('Llama down', NOWHERE),
			'is no address': await llama('Llama wrong', 'not an address'),
		},
		difyApi: {
			works: await difyWith('Dify', dify.url),
			'is down': await difyWith('Dify down', `${NOWHERE}/v1`),
			'is no address': await difyWith('Dify wrong', 'not an address'),
		},
	};
});
afterAll(async () => {
	await Promise.all([sim.close(), dify.close()]);
	await stopEverything();
});

function doorsOf({ name, properties }: INodeTypeDescription): Door[] {
	const fields = properties.map((property) => property.name);
	const doorsIn = (property: INodeProperties, parent: string): Door[] => {
		const path = `${parent}.${property.name}`;
		const { loadOptionsMethod, resourceMapper } = property.typeOptions ?? {};
		const searches = (property.modes ?? []).flatMap(
			({ typeOptions }: INodePropertyMode) => typeOptions?.searchListMethod ?? [],
		);
		const nested = (property.options ?? []).filter((option) => 'type' in option);
		const door = { type: name, path, fields };
		return [
			...searches.map((method) => ({
				...door,
				method,
				route: 'resource-locator-results' as const,
			})),
			...(loadOptionsMethod === undefined
				? []
				: [{ ...door, method: loadOptionsMethod, route: 'options' as const }]),
			...(resourceMapper?.resourceMapperMethod === undefined
				? []
				: [
						{
							...door,
							method: resourceMapper.resourceMapperMethod,
							route: 'resource-mapper-fields' as const,
						},
					]),
			...nested.flatMap((option) => doorsIn(option, path)),
		];
	};
	return properties.flatMap((property) => doorsIn(property, 'parameters'));
}

/** What the fields of a panel may hold while somebody fills it in. */
const HALF_FILLED: Readonly<Record<string, unknown>> = {
	'nothing was entered': undefined,
	'all fields are null': null,
	'all fields are empty': '',
	'all fields are expressions without a result': '={{ $json.none.none }}',
	'all fields are lists without a choice': { __rl: true, mode: 'list', value: '' },
	'all fields are IDs without a value': { __rl: true, mode: 'id', value: null },
	'all fields are numbers': 5,
	'all fields are lists': ['a', { __proto__: null, constructor: 1 }],
	'all fields are long': 'x'.repeat(100_000),
};

it('every list of every node is loaded or says why not, whatever the panel holds', async () => {
	const doors = types.flatMap(doorsOf);
	expect(doors.map(({ method }) => method)).toEqual(
		expect.arrayContaining(['searchModels', 'searchDocuments', 'getForm', 'getKnowledgeBases']),
	);
	const unexplained: string[] = [];
	for (const { type, method, route, path, fields } of doors) {
		const credentialType = /dify/i.test(type) ? 'difyApi' : 'localLlamaApi';
		for (const [panel, value] of Object.entries(HALF_FILLED)) {
			const currentNodeParameters =
				value === undefined ? {} : Object.fromEntries(fields.map((field) => [field, value]));
			for (const [state, credential] of Object.entries(credentials[credentialType]!)) {
				const body = {
					nodeTypeAndVersion: { name: type, version: 1 },
					path,
					methodName: method,
					currentNodeParameters,
					credentials: { [credentialType]: credential },
				};
				const answer = await n8n
					.request<unknown>('POST', `/rest/dynamic-node-parameters/${route}`, body)
					.then((loaded) => (loaded === null ? 'nothing' : ''), String);
				// What a program says that did not expect the value.
				if (/Cannot|is not a|undefined|\[object|TypeError|Internal|nothing/.test(answer))
					unexplained.push(`${type} ${method}, ${panel}, the server ${state}: ${answer}`);
			}
		}
	}
	expect(unexplained).toEqual([]);
});

describe('a saved workflow with values that no field has', () => {
	let editor: Editor;
	const pageErrors: string[] = [];

	beforeAll(async () => {
		editor = await openEditor(n8n);
		editor.page.on('pageerror', ({ message }) => pageErrors.push(message));
	});
	afterAll(async () => await editor.close());

	it('opens every panel', async () => {
		const parameters = {
			resource: 'gone',
			operation: 'gone',
			model: { __rl: true, mode: 'gone', value: 5 },
			removedField: 'kept by n8n',
			options: {
				removedOption: true,
				maxTokens: 'viel',
				temperature: '１２',
				seed: '={{ $json.a.b }}',
			},
		};
		const nodes = types.map(({ name, displayName, version }) => [
			displayName,
			{ type: name, typeVersion: [version].flat().at(-1)!, parameters },
		]);
		const { id } = await n8n.createWorkflow(
			spread(workflowOf('Unknown', Object.fromEntries(nodes) as Parameters<typeof workflowOf>[1])),
		);
		await editor.openWorkflow(id);
		for (const { displayName } of types) {
			await editor.openNode(displayName);
			await editor.get('node-parameters').getByTestId('parameter-item').first().waitFor();
			await editor.closeNode();
		}
		expect(pageErrors).toEqual([]);
	});

	/** Values of Local Llama → Text: Chat, and what the panel of its result says of them. */
	const WRONG: ReadonlyArray<readonly [string, Record<string, unknown>, string]> = [
		['a text for a number', { maxTokens: 'viel' }, 'Maximum Tokens'],
		['a number in another script', { temperature: '１.５x' }, 'Temperature'],
		['a choice that does not exist', { thinking: 'sometimes' }, 'Thinking'],
		['an object for a text', { stop: { a: 1 } }, 'Stop Sequences'],
		['a number out of range', { topP: 7 }, 'Top P'],
	];

	it.each(WRONG)('says which field has %s, and sends nothing', async (_what, options, label) => {
		const { get, page } = editor;
		const localLlamaApi = credentials.localLlamaApi!.works!;
		const { id } = await n8n.createWorkflow(
			spread(
				workflowOf(`Wrong ${label}`, {
					Start: { ...MANUAL, to: ['Local Llama'] },
					'Local Llama': {
						type: 'CUSTOM.localLlama',
						parameters: { resource: 'text', operation: 'chat', prompt: 'Hi', options },
						credentials: { localLlamaApi },
					},
				}),
			),
		);
		const before = sim.requests.length;
		await editor.openWorkflow(id);
		await get('execute-workflow-button').first().click();
		await page.locator('.el-notification').first().waitFor();
		await editor.openNode('Local Llama');
		await get('output-panel').getByText(label).first().waitFor();
		const sent = sim.requests.slice(before).filter(({ method }) => method === 'POST');
		expect(sent.map(({ path }) => path)).toEqual([]);
	});
});
