import type { ICredentialDataDecryptedObject } from 'n8n-workflow';

import { appKey, startDifySim } from '../../servers/dify';
import { delay } from '../../support/node';
import { AT_ONCE_MS } from '../../support/time';
import { SESAME, run, server, shape, sim, useServer } from './run-node';

useServer();

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
		expect(server().requests.filter(({ method }) => method === 'POST')).toEqual([]);
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
		if (operation === 'speedTest')
			await server().until(() =>
				server()
					.slots()
					.some(({ busy }) => busy),
			);
		else await server().until(() => server().connections.accepted > 0);
		await delay(300);
		const stoppedAt = Date.now();
		abort.abort();
		expect(await ended).toBe('NodeOperationError');
		expect(Date.now() - stoppedAt).toBeLessThan(AT_ONCE_MS);
		await server().until(() =>
			server()
				.slots()
				.every(({ busy }) => !busy),
		);
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
