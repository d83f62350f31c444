import type {
	ICredentialDataDecryptedObject,
	IExecuteFunctions,
	INodeExecutionData,
	INodeProperties,
} from 'n8n-workflow';

import { forgetChecks } from '../../../lib/health/check';
import { closeChannels } from '../../../lib/http/dispatcher';
import { ServerHealth } from '../../../nodes/ServerHealth/ServerHealth.node';
import { appKey, startDifySim } from '../../servers/dify';
import { type LlamaServerSim, type SimOptions, startLlamaServerSim } from '../../servers/llama-server';
import { delay } from '../../support/node';
import { AT_ONCE_MS } from '../../support/time';

const SESAME = 'open-sesame-123456';

interface Setup {
	parameters?: Record<string, unknown>;
	/** One set of parameters per item, over the others. */
	perItem?: Array<Record<string, unknown>>;
	credentials?: ICredentialDataDecryptedObject | ICredentialDataDecryptedObject[];
	items?: number;
	continueOnFail?: boolean;
	/** Names of the outputs, as n8n sees them. */
	outputs?: string[];
	mode?: string;
	signal?: AbortSignal;
}

let server: LlamaServerSim;
const asked: string[] = [];

async function sim(options: SimOptions = {}): Promise<void> {
	server = await startLlamaServerSim({ apiKey: SESAME, ...options });
}

/** The node's context, as far as this node uses it. */
function context(setup: Setup): IExecuteFunctions {
	const {
		parameters = {},
		perItem = [],
		items = 1,
		continueOnFail = false,
		outputs = ['main', 'main'],
		mode = 'manual',
	} = setup;
	const given = setup.credentials ?? { baseUrl: server.url, apiKey: SESAME };
	return {
		getInputData: () => Array.from({ length: items }, (_, index) => ({ json: { index } })),
		getNodeParameter: (name: string, itemIndex: number, fallback: unknown, options?: { extractValue?: boolean }) => {
			const value = { ...parameters, ...perItem[itemIndex] }[name] ?? fallback;
			return options?.extractValue && typeof value === 'object' && value !== null && 'value' in value
				? value.value
				: value;
		},
		getCredentials: async (name: string, itemIndex: number) => {
			asked.push(name);
			return Array.isArray(given) ? given[itemIndex]! : given;
		},
		getNode: () => ({
			id: '1',
			name: 'Server Health',
			type: 'n8n-nodes-local-llama.serverHealth',
			typeVersion: 1,
			position: [0, 0],
			parameters: {},
		}),
		getNodeOutputs: () => outputs.map((type) => ({ type })),
		getMode: () => mode,
		continueOnFail: () => continueOnFail,
		getExecutionCancelSignal: () => setup.signal,
		helpers: {},
	} as unknown as IExecuteFunctions;
}

async function run(setup: Setup = {}): Promise<INodeExecutionData[][]> {
	return await new ServerHealth().execute.call(context(setup));
}

/** Status and paired item of each item, output by output. */
function shape(outputs: INodeExecutionData[][]): Array<Array<[unknown, unknown]>> {
	return outputs.map((items) => items.map(({ json, pairedItem }) => [json.status, pairedItem]));
}

beforeEach(() => {
	forgetChecks();
	asked.length = 0;
});
afterEach(async () => {
	await closeChannels();
	await server?.close();
});

describe('Check', () => {
	it('sends a healthy server to the first output', async () => {
		await sim();
		const outputs = await run();
		expect(shape(outputs)).toEqual([[['healthy', { item: 0 }]], []]);
		expect(outputs[0]![0]!.json).toMatchObject({ server: { kind: 'llamaServer' }, findings: [{ id: 'metricsOff' }] });
		expect(asked).toEqual(['localLlamaApi']);
	});

	it('sends any other to the second, without failing', async () => {
		await sim({ loadingFor: { ms: 60_000 } });
		expect(shape(await run())).toEqual([[], [['loading', { item: 0 }]]]);
	});

	it('checks each item by its own credential and needs, in order', async () => {
		await sim({ metrics: true });
		const outputs = await run({
			items: 3,
			credentials: [
				{ baseUrl: server.url, apiKey: SESAME },
				{ baseUrl: server.url, apiKey: 'wrong' },
				{ baseUrl: server.url, apiKey: SESAME },
			],
			perItem: [{}, {}, { needed: { vision: true } }],
		});
		expect(shape(outputs)).toEqual([
			[['healthy', { item: 0 }]],
			[
				['unauthorized', { item: 1 }],
				['misconfigured', { item: 2 }],
			],
		]);
	});

	it('reads what is needed, also where it comes out of expressions as text', async () => {
		await sim({ nCtx: 2048 });
		const needed = {
			model: ' other ',
			vision: 'true',
			tools: false,
			embeddings: true,
			rerank: true,
			minContext: '4096',
			minSlots: 8,
		};
		const outputs = await run({ parameters: { needed } });
		const ids = (outputs[1]![0]!.json.findings as Array<{ id: string }>).map(({ id }) => id);
		expect(ids).toEqual(
			expect.arrayContaining([
				'modalityUnsupported',
				'contextTooSmall',
				'embeddingsOff',
				'rerankOff',
				'slotsTooFew',
				'otherModel',
			]),
		);
		expect(ids).not.toContain('toolsUnsupported');
	});

	it('fails where the user wants it to, with the finding as message and the advice as description', async () => {
		await sim({ apiKey: 'another' });
		await expect(run({ parameters: { options: { failWhenUnhealthy: true } } })).rejects.toMatchObject({
			message: 'The server refuses the API key',
			description: expect.stringMatching(/--api-key.*Observed: GET .*HTTP 401/) as string,
			context: { itemIndex: 0, data: { status: 'unauthorized' } },
		});
	});

	it.each([
		[{ failWhenUnhealthy: 'perhaps' }, 'The field "Fail When Unhealthy" must be true or false, but is "perhaps"'],
		[{ readSlots: 2 }, 'The field "Ask for Slots" must be true or false, but is 2'],
	])('a switch that is neither on nor off is an error before anything is asked: %j', async (options, message) => {
		await sim();
		await expect(run({ parameters: { options } })).rejects.toMatchObject({ message });
		expect(server.requests).toEqual([]);
	});

	it('a need that is neither on nor off is an error', async () => {
		await sim();
		await expect(run({ parameters: { needed: { vision: 'ja' } } })).rejects.toMatchObject({
			message: 'The field "Vision" must be true or false, but is "ja"',
		});
	});

	it('a field that makes no sense is an error that names it', async () => {
		await sim();
		await expect(run({ parameters: { options: { timeLimit: 'soon' } } })).rejects.toMatchObject({
			message: 'The field "Time Limit of a Check (Seconds)" must be a number from 0.1, but is "soon"',
		});
	});

	it('on failure goes on with the other items, where the node is set so', async () => {
		await sim();
		const outputs = await run({ items: 2, continueOnFail: true, perItem: [{ options: { timeLimit: 'soon' } }, {}] });
		expect(outputs[0]).toMatchObject([{ json: { status: 'healthy' }, pairedItem: { item: 1 } }]);
		expect(outputs[1]).toMatchObject([
			{
				json: { error: expect.stringContaining('Time Limit of a Check') as string, kind: 'invalidInput' },
				error: expect.anything() as unknown,
				pairedItem: { item: 0 },
			},
		]);
	});

	it('an unhealthy server under "Fail When Unhealthy" and continue on fail keeps its diagnosis', async () => {
		await sim({ apiKey: 'another' });
		const outputs = await run({ continueOnFail: true, parameters: { options: { failWhenUnhealthy: true } } });
		expect(outputs[1]![0]).toMatchObject({
			json: { error: 'The server refuses the API key', status: 'unauthorized' },
			pairedItem: { item: 0 },
		});
	});

	it('never puts the key into an item, an error or its details', async () => {
		await sim({ apiKey: 'another' });
		const credentials = {
			baseUrl: server.url,
			apiKey: SESAME,
			extraHeaders: { header: [{ name: 'X-Proxy', value: 'behind-the-mask' }] },
		};
		const outputs = await run({ credentials });
		const failed = (await run({ credentials, parameters: { options: { failWhenUnhealthy: true } } }).catch(
			(error: Error) => error,
		)) as unknown as { context: object; description: string; message: string };
		expect(JSON.stringify([outputs, failed.message, failed.description, failed.context])).not.toMatch(
			/open-sesame|behind-the-mask/,
		);
	});

	it('asks Dify with its own credential', async () => {
		await sim();
		const dify = await startDifySim();
		const outputs = await run({
			parameters: { service: 'dify' },
			credentials: { baseUrl: dify.url, apiKey: appKey('workflow'), keyType: 'app' },
		});
		await dify.close();
		expect(asked).toEqual(['difyApi']);
		expect(outputs[0]).toMatchObject([{ json: { status: 'healthy', app: { mode: 'workflow' } } }]);
	});

	it('reads a Dify credential with whatever is missing in it', async () => {
		await sim();
		expect(await run({ parameters: { service: 'dify' }, credentials: {} })).toMatchObject([
			[],
			[{ json: { status: 'misconfigured', findings: [{ id: 'invalidUrl' }] } }],
		]);
	});
});

describe('as a tool of an agent, the node has one output', () => {
	it.each([
		['the tool that n8n makes of the node', { outputs: ['ai_tool'] }],
		["n8n's own assistant, which runs the node as it is", { mode: 'internal' }],
	])('%s gets an unhealthy server as its one result', async (_name, setup) => {
		await sim({ apiKey: 'another' });
		const outputs = await run(setup);
		expect(outputs).toHaveLength(1);
		expect(outputs[0]).toMatchObject([{ json: { status: 'unauthorized', findings: [{ id: 'unauthorized' }] } }]);
	});

	it('also without any input item', async () => {
		await sim();
		expect(shape(await run({ outputs: ['ai_tool'], items: 0 }))).toEqual([[['healthy', { item: 0 }]]]);
	});
});

describe('the other operations', () => {
	it('Speed Test', async () => {
		await sim();
		const outputs = await run({
			parameters: {
				operation: 'speedTest',
				tokens: 8,
				atOnce: '2',
				model: { __rl: true, mode: 'id', value: 'sim-model' },
			},
		});
		expect(outputs[0]).toMatchObject([
			{
				json: { status: 'healthy', speed: { model: 'sim-model', runs: [{ atOnce: 1 }, { atOnce: 2 }] } },
				pairedItem: { item: 0 },
			},
		]);
	});

	it('Speed Test of a server that does not work', async () => {
		await sim({ apiKey: 'another' });
		expect((await run({ parameters: { operation: 'speedTest' } }))[1]).toMatchObject([
			{ json: { status: 'unauthorized', speed: null } },
		]);
	});

	it('Wait Until Ready', async () => {
		await sim({ loadingFor: 3 });
		const outputs = await run({ parameters: { operation: 'waitUntilReady', options: { waitLimit: 60 } } });
		expect(outputs[0]).toMatchObject([
			{ json: { status: 'healthy', history: [{ status: 'loading' }, { status: 'healthy' }] } },
		]);
	});

	it('Wait Until Ready with a key that is refused comes back at once', async () => {
		await sim({ apiKey: 'another' });
		expect((await run({ parameters: { operation: 'waitUntilReady' } }))[1]).toMatchObject([
			{ json: { status: 'unauthorized', checks: 1 } },
		]);
	});

	it('List Models: one item for each, paired with the input', async () => {
		await sim({ profile: 'router', models: [{ id: 'big', status: 'loaded' }, { id: 'small' }] });
		const outputs = await run({ items: 2, parameters: { operation: 'listModels' } });
		expect(outputs[0]!.map(({ json, pairedItem }) => [json.id, json.loaded, pairedItem])).toEqual([
			['big', true, { item: 0 }],
			['small', false, { item: 0 }],
			['big', true, { item: 1 }],
			['small', false, { item: 1 }],
		]);
	});

	it('List Models fails where there is no list, with the advice', async () => {
		await sim({ apiKey: 'another' });
		await expect(run({ parameters: { operation: 'listModels' } })).rejects.toMatchObject({
			message: expect.stringContaining('The server refuses the API key') as string,
			description: expect.stringContaining('--api-key') as string,
		});
	});

	it('Load Model and Unload Model', async () => {
		await sim({ profile: 'router', models: [{ id: 'big', loadMs: 20 }] });
		const model = { __rl: true, mode: 'list', value: 'big' };
		expect((await run({ parameters: { operation: 'loadModel', model } }))[0]).toMatchObject([
			{ json: { model: 'big', state: 'loaded', changed: true } },
		]);
		expect(
			(await run({ parameters: { operation: 'unloadModel', model, modelOptions: { wait: false } } }))[0],
		).toMatchObject([{ json: { state: 'unloaded' } }]);
	});

	it('Load Model on a server that cannot', async () => {
		await sim();
		await expect(run({ parameters: { operation: 'loadModel', model: 'sim-model' } })).rejects.toMatchObject({
			description: expect.stringContaining('--models-dir') as string,
		});
	});

	it.each(['speedTest', 'listModels', 'loadModel', 'unloadModel'])(
		'%s, left over from a model server, is not asked of Dify',
		async (operation) => {
			const dify = await startDifySim();
			const failed = run({
				parameters: { service: 'dify', operation },
				credentials: { baseUrl: dify.url, apiKey: appKey('chat') },
			});
			await expect(failed).rejects.toMatchObject({
				message: `Dify has no operation "${operation}"`,
				description: expect.stringContaining('Wait Until Ready') as string,
			});
			expect(dify.requests).toEqual([]);
			await dify.close();
		},
	);

	it.each([
		[{ tokens: 1e9 }, 'The field "Tokens" must be a number from 1 to 4096, but is 1000000000'],
		[{ atOnce: 1e6 }, 'The field "Requests at Once" must be a number from 1 to 64, but is 1000000'],
		[{ atOnce: '65' }, 'The field "Requests at Once" must be a number from 1 to 64, but is "65"'],
		[{ tokens: -1 }, 'The field "Tokens" must be a number from 1 to 4096, but is -1'],
		[{ tokens: [] }, 'The field "Tokens" must be a number from 1 to 4096, but is []'],
		[{ tokens: true }, 'The field "Tokens" must be a number from 1 to 4096, but is true'],
		[{ needed: { minContext: '8k' } }, 'The field "Context" must be a number from 0, but is "8k"'],
		[{ needed: { minContext: -5 } }, 'The field "Context" must be a number from 0, but is -5'],
		[{ needed: { model: { name: 'a' } } }, 'The field "Model" must be a text, but is {"name":"a"}'],
		[{ options: { timeLimit: 0 } }, 'The field "Time Limit of a Check (Seconds)" must be a number from 0.1, but is 0'],
		[{ model: { __rl: true, mode: 'id', value: ['a'] } }, 'The field "Model" must be a text, but is ["a"]'],
		[{ model: { name: 'x'.repeat(500) } }, `The field "Model" must be a text, but is {"name":"${'x'.repeat(90)}…`],
	])('a value out of an expression that makes no sense is an error that names it: %j', async (parameters, message) => {
		await sim();
		await expect(run({ parameters: { operation: 'speedTest', ...parameters } })).rejects.toMatchObject({ message });
		expect(server.requests.filter(({ method }) => method === 'POST')).toEqual([]);
	});

	it.each([
		[{ vision: 'True' }, 'modalityUnsupported'],
		[{ vision: 1 }, 'modalityUnsupported'],
		[{ minContext: ' 999999 ' }, 'contextTooSmall'],
		[{ model: 7 }, 'otherModel'],
	])('what is needed, out of an expression in another form: %j', async (needed, id) => {
		await sim();
		const outputs = await run({ parameters: { needed } });
		expect(
			outputs.flat().flatMap(({ json }) => (json.findings as Array<{ id: string }>).map((finding) => finding.id)),
		).toContain(id);
	});

	it.each([
		['false', 0, 'no', null, ''].map((vision) => ({ vision })),
		[null, '', undefined].map((minContext) => ({ minContext, model: minContext })),
	])('what is not needed', async (...needs) => {
		await sim();
		for (const needed of needs)
			expect(shape(await run({ parameters: { needed } }))).toEqual([[['healthy', { item: 0 }]], []]);
	});

	it.each([{}, [], 'http://', 7, null])('a base URL that an expression got wrong is a result: %j', async (baseUrl) => {
		await sim();
		const outputs = await run({
			credentials: { baseUrl, apiKey: SESAME } as unknown as ICredentialDataDecryptedObject,
		});
		expect(outputs[1]).toMatchObject([
			{ json: { status: 'misconfigured', url: null, findings: [{ id: 'invalidUrl' }] } },
		]);
	});

	it.each([
		['waitUntilReady', { loadingFor: { ms: 60_000 } }, {}],
		['waitUntilReady', { connections: () => 'silent' as const }, { options: { waitLimit: 60, timeLimit: 30 } }],
		['speedTest', { tokenDelayMs: 50 }, { tokens: 4096, atOnce: 4 }],
		['loadModel', { profile: 'router' as const, models: [{ id: 'big', loadMs: 60_000 }] }, { model: 'big' }],
	])('%s ends at once on Stop, and leaves nothing running on the server', async (operation, options, parameters) => {
		await sim({ apiKey: undefined, ...options });
		const abort = new AbortController();
		const running = run({ signal: abort.signal, parameters: { operation, ...parameters } });
		const ended = running.then(
			() => 'result',
			(error: Error) => error.name,
		);
		if (operation === 'speedTest') await server.until(() => server.slots().some(({ busy }) => busy));
		else await server.until(() => server.connections.accepted > 0);
		await delay(300);
		const stoppedAt = Date.now();
		abort.abort();
		expect(await ended).toBe('NodeOperationError');
		expect(Date.now() - stoppedAt).toBeLessThan(AT_ONCE_MS);
		await server.until(() => server.slots().every(({ busy }) => !busy));
	});

	it('an operation that does not exist', async () => {
		await sim();
		await expect(run({ parameters: { operation: 'constructor' } })).rejects.toMatchObject({
			message: 'The operation "constructor" does not exist',
			description: expect.stringContaining('speedTest') as string,
		});
	});

	it('is cancelled with the execution', async () => {
		await sim({ connections: () => 'silent' });
		const abort = new AbortController();
		const running = run({ signal: abort.signal });
		abort.abort();
		await expect(running).rejects.toMatchObject({ message: expect.stringContaining('cancelled') as string });
	});
});

describe('the description', () => {
	const { description } = new ServerHealth();

	/** What n8n shows for these values. */
	function shown(values: Record<string, string>): string[] {
		const fits = ({ displayOptions }: INodeProperties) =>
			Object.entries(displayOptions?.show ?? {}).every(([name, allowed]) =>
				(allowed as unknown[]).includes(values[name.replace('/', '')]),
			);
		return description.properties.filter(fits).map(({ name }) => name);
	}

	it('has two named outputs and is usable as a tool', () => {
		expect(description).toMatchObject({
			outputs: ['main', 'main'],
			outputNames: ['Healthy', 'Unhealthy'],
			usableAsTool: true,
		});
	});

	it.each([
		['modelServer', 'localLlamaApi'],
		['dify', 'difyApi'],
	])('asks for one credential: %s wants %s', (service, name) => {
		const needed = description.credentials!.filter(
			({ displayOptions: { show, hide } = {} }) =>
				(show?.service ?? [service]).includes(service) && !(hide?.service ?? []).includes(service),
		);
		expect(needed).toMatchObject([{ name, required: true }]);
	});

	it.each([
		[{ service: 'modelServer', operation: 'check' }, ['service', 'operation', 'needed', 'options']],
		[
			{ service: 'modelServer', operation: 'speedTest' },
			['service', 'operation', 'model', 'tokens', 'atOnce', 'speedOptions', 'needed', 'options'],
		],
		[{ service: 'modelServer', operation: 'loadModel' }, ['service', 'operation', 'model', 'modelOptions']],
		[{ service: 'modelServer', operation: 'listModels' }, ['service', 'operation', 'options']],
		[{ service: 'dify', operation: 'check' }, ['service', 'operation', 'options']],
		[{ service: 'dify', operation: 'waitUntilReady' }, ['service', 'operation', 'options']],
	])('shows for %j: %j', (values, names) => {
		expect(shown(values)).toEqual(names);
	});

	it('offers for Dify only what it can do', () => {
		const operations = description.properties
			.filter(({ name }) => name === 'operation')
			.map(({ options }) => options!.map((option) => ('value' in option ? option.value : '')));
		expect(operations).toEqual([
			['check', 'listModels', 'loadModel', 'speedTest', 'unloadModel', 'waitUntilReady'],
			['check', 'waitUntilReady'],
		]);
	});
});
