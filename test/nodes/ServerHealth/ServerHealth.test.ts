import type {
	INodeProperties,
	NodeOperationError,
	INodeExecutionData,
	ICredentialDataDecryptedObject,
} from 'n8n-workflow';

import { ServerHealth } from '../../../nodes/ServerHealth/ServerHealth.node';
import { operations } from '../../../nodes/ServerHealth/operations';
import { appKey, startDifySim } from '../../simulators/dify';
import { SESAME, credentialTypes, hints, run, server, shape, sim, useServer } from './run-node';
import { useSimulator } from '../../simulators/use-simulator';

describe('the description', () => {
	const { description } = new ServerHealth();

	it('has two named outputs and is usable as a tool', () => {
		expect(description).toMatchObject({
			outputs: [
				{ type: 'main', displayName: 'Healthy' },
				{ type: 'main', displayName: 'Unhealthy' },
			],
			usableAsTool: true,
		});
	});

	it('as a tool, its connector is called Tool: n8n replaces the outputs, not their names', () => {
		expect(description.outputNames).toEqual(['Tool']);
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
});

const { properties } = operations;

describe('the operations', () => {
	/** What n8n shows for these values. */
	function listVisibleFields(values: Record<string, string | boolean>): string[] {
		const fits = ({ displayOptions }: INodeProperties) =>
			Object.entries(displayOptions?.show ?? {}).every(([name, allowed]) =>
				(allowed as unknown[]).includes(values[name.replace('/', '')]),
			);
		return properties.filter(fits).map(({ name }) => name);
	}

	it.each([
		[
			{ service: 'modelServer', operation: 'check' },
			['service', 'operation', 'expectations', 'options'],
		],
		[
			{ service: 'modelServer', operation: 'speedTest' },
			['service', 'operation', 'model', 'tokens', 'concurrentRequests', 'expectations', 'options'],
		],
		[
			{ service: 'modelServer', operation: 'toolTest' },
			['service', 'operation', 'model', 'maxTokens', 'testTimeout', 'expectations', 'options'],
		],
		[
			{ service: 'modelServer', operation: 'report', measureSpeed: true },
			[
				'service',
				'operation',
				'title',
				'measureSpeed',
				'model',
				'tokens',
				'concurrentRequests',
				'expectations',
				'options',
			],
		],
		[
			{ service: 'modelServer', operation: 'report', measureSpeed: false },
			['service', 'operation', 'title', 'measureSpeed', 'expectations', 'options'],
		],
		[
			{ service: 'dify', operation: 'report', measureSpeed: true },
			['service', 'operation', 'title', 'options'],
		],
		[{ service: 'dify', operation: 'check' }, ['service', 'operation', 'options']],
		[
			{ service: 'dify', operation: 'waitUntilReady' },
			['service', 'operation', 'waitTimeout', 'options'],
		],
	])('shows for %j: %j', (values, names) => {
		expect(listVisibleFields(values)).toEqual(names);
	});

	it('offers for Dify only the supported operations', () => {
		const operations = properties
			.filter(({ name }) => name === 'operation')
			.map(({ options }) => options!.map((option) => ('value' in option ? option.value : '')));
		expect(operations).toEqual([
			['check', 'speedTest', 'toolTest', 'report', 'waitUntilReady'],
			['check', 'report', 'waitUntilReady'],
		]);
	});
});

useServer();

describe('Check', () => {
	it('shows the gravest finding of an unhealthy server above the output, and the summary first in the item', async () => {
		await sim();
		const outputs = await run({ credentials: { baseUrl: server().url, apiKey: 'wrong' } });
		const item = outputs[1]![0];
		expect(Object.keys(item!.json)[0]).toBe('summary');
		const { detail, suggestion } = (item!.json.findings as Array<Record<string, string>>)[0]!;
		expect(hints).toEqual([
			{
				type: 'warning',
				location: 'outputPane',
				message: `Unhealthy (${server().url}): ${detail}. ${suggestion}`,
			},
		]);
	});

	it('shows a warning of a healthy server, and no hint without warnings', async () => {
		await sim({ nCtx: 2048 });
		await run({ parameters: { expectations: { minContext: 1024 } } });
		expect(hints).toEqual([]);
		await run();
		expect(hints.map(({ message }) => message)).toEqual([
			expect.stringMatching(/^Healthy, with a warning \(http.*\): A request can use 2048 tokens/),
		]);
	});

	it('checks each item by its own credential and needs, in order', async () => {
		await sim({ metrics: true });
		const outputs = await run({
			items: 3,
			credentials: [
				{ baseUrl: server().url, apiKey: SESAME },
				{ baseUrl: server().url, apiKey: 'wrong' },
				{ baseUrl: server().url, apiKey: SESAME },
			],
			perItem: [{}, {}, { expectations: { minContext: 1_000_000 } }],
		});
		expect(shape(outputs)).toEqual([
			[['healthy', { item: 0 }]],
			[
				['unauthorized', { item: 1 }],
				['misconfigured', { item: 2 }],
			],
		]);
	});

	it('fails if set, with the finding as message, and finding, suggestion and observation as description', async () => {
		await sim({ apiKey: 'another' });
		await expect(
			run({ parameters: { options: { failWhenUnhealthy: true } } }),
		).rejects.toMatchObject({
			message: 'Invalid API Key',
			description: expect.stringMatching(
				/^(?!The server rejected).*--api-key.*Observed: GET .*HTTP 401/,
			) as string,
			context: { data: { status: 'unauthorized' } },
			// n8n would log it, too.
			cause: undefined,
		});
	});

	it('uses its own message if nothing listens, although n8n has a message for the code', async () => {
		await sim();
		const failed = (await run({
			credentials: { baseUrl: 'http://127.0.0.1:9', apiKey: SESAME },
			parameters: { options: { failWhenUnhealthy: true } },
		}).catch((error: unknown) => error)) as NodeOperationError;
		const { findings } = failed.context.data as { findings: Array<{ detail: string }> };
		expect(failed.message).toBe(findings[0]!.detail);
		expect(failed.description).not.toContain(findings[0]!.detail.slice(0, 20));
		expect(failed.description).toContain('Observed: ');
	});

	it('an unhealthy server under "Fail When Unhealthy" and continue on fail keeps its diagnosis', async () => {
		await sim({ apiKey: 'another' });
		const outputs = await run({
			continueOnFail: true,
			parameters: { options: { failWhenUnhealthy: true } },
		});
		const [item] = outputs[1]!;
		expect(item).toMatchObject({
			json: {
				error: {
					message: 'Invalid API Key',
					status: 'unauthorized',
					findings: [{ id: 'unauthorized' }],
				},
			},
			pairedItem: { item: 0 },
		});
		// n8n drops the `json` of an item with an error beside it.
		expect(item).not.toHaveProperty('error');
	});

	it('reads a Dify credential with missing fields', async () => {
		await sim();
		expect(await run({ parameters: { service: 'dify' }, credentials: {} })).toMatchObject([
			[],
			[{ json: { status: 'misconfigured', findings: [{ id: 'invalidUrl' }] } }],
		]);
	});
});

const startDify = useSimulator(startDifySim);

describe('a run of the node', () => {
	it.each([
		['speedTest', 'speed'],
		['toolTest', 'toolTest'],
	])(
		'%s, left over from a model server, checks Dify and runs nothing',
		async (operation, field) => {
			const dify = await startDify();
			const [[item]] = (await run({
				parameters: { service: 'dify', operation, options: { timeout: 60 } },
				credentials: { baseUrl: dify.url, apiKey: appKey('chat') },
			})) as [INodeExecutionData[]];
			expect(item!.json).toMatchObject({ status: 'healthy', app: { mode: 'chat' } });
			expect(item!.json).not.toHaveProperty(field);
			expect(credentialTypes).toEqual(['difyApi']);
			expect(dify.runs).toEqual([]);
		},
	);

	it('is cancelled with the execution', async () => {
		await sim({ connections: () => 'silent' });
		const abort = new AbortController();
		const running = run({ signal: abort.signal });
		abort.abort();
		await expect(running).rejects.toMatchObject({
			message: expect.stringContaining('The execution was stopped') as string,
		});
	});
});

describe('as a tool of an agent, the node has one output', () => {
	it.each([
		['the tool that n8n makes of the node', { outputs: ['ai_tool'] }],
		["n8n's own assistant, which runs the node unchanged", { mode: 'internal' }],
	])('%s gets an unhealthy server as its one result', async (_name, setup) => {
		await sim({ apiKey: 'another' });
		const outputs = await run(setup);
		expect(outputs).toHaveLength(1);
		expect(outputs[0]).toMatchObject([
			{ json: { status: 'unauthorized', findings: [{ id: 'unauthorized' }] } },
		]);
	});

	it('a tool without any input item has one output', async () => {
		await sim();
		expect(shape(await run({ outputs: ['ai_tool'], items: 0 }))).toEqual([
			[['healthy', { item: 0 }]],
		]);
	});
});

describe('the fields of a check', () => {
	it.each([
		[{ minContext: ' 999999 ' }, 'contextBelowExpected'],
		[{ model: 7 }, 'expectedModelMissing'],
	])('an expectation, from an expression with another type: %j', async (expectations, id) => {
		await sim();
		const outputs = await run({ parameters: { expectations } });
		expect(
			outputs
				.flat()
				.flatMap(({ json }) =>
					(json.findings as Array<{ id: string }>).map((finding) => finding.id),
				),
		).toContain(id);
	});

	it.each([[null, '', undefined].map((minContext) => ({ minContext, model: minContext }))])(
		'empty expectations',
		async (...needs) => {
			await sim();
			for (const expectations of needs)
				expect(shape(await run({ parameters: { expectations } }))).toEqual([
					[['healthy', { item: 0 }]],
					[],
				]);
		},
	);
});

it.each([{}, [], 'http://', 7, null])(
	'the server that the credential names: a base URL that an expression got wrong is a result: %j',
	async (baseUrl) => {
		await sim();
		const outputs = await run({
			credentials: { baseUrl, apiKey: SESAME } as unknown as ICredentialDataDecryptedObject,
		});
		expect(outputs[1]).toMatchObject([
			{ json: { status: 'misconfigured', findings: [{ id: 'invalidUrl' }] } },
		]);
	},
);
