import type { NodeOperationError } from 'n8n-workflow';

import { appKey, startDifySim } from '../../simulators/dify';
import { SESAME, credentialTypes, hints, run, server, shape, sim, useServer } from './run-node';

useServer();

describe('Check', () => {
	it('sends a healthy server to the first output', async () => {
		await sim();
		const outputs = await run();
		expect(shape(outputs)).toEqual([[['healthy', { item: 0 }]], []]);
		expect(outputs[0]![0]!.json).toMatchObject({
			server: { type: 'llamaServer' },
			findings: [],
		});
		expect(credentialTypes).toEqual(['localLlamaApi']);
	});

	it('shows the gravest finding above both branches, and the summary first in the item', async () => {
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
			message: 'The server rejected the API key',
			description: expect.stringMatching(
				/^(?!The server rejected).*--api-key.*Observed: GET .*HTTP 401/,
			) as string,
			context: { itemIndex: 0, data: { status: 'unauthorized' } },
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

	it('continues with the other items after an error, if the node is set so', async () => {
		await sim();
		const outputs = await run({
			items: 2,
			continueOnFail: true,
			perItem: [{ options: { timeout: 'soon' } }, {}],
		});
		expect(outputs[0]).toMatchObject([{ json: { status: 'healthy' }, pairedItem: { item: 1 } }]);
		expect(outputs[1]).toMatchObject([
			{
				json: {
					error: {
						message: expect.stringContaining('Check Timeout') as string,
						type: 'invalidInput',
					},
				},
				pairedItem: { item: 0 },
			},
		]);
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
					message: 'The server rejected the API key',
					status: 'unauthorized',
					findings: [{ id: 'unauthorized' }],
				},
			},
			pairedItem: { item: 0 },
		});
		// n8n drops the `json` of an item with an error beside it.
		expect(item).not.toHaveProperty('error');
	});

	it('never puts the key into an item, an error or its details', async () => {
		await sim({ apiKey: 'another' });
		const credentials = {
			baseUrl: server().url,
			apiKey: SESAME,
			extraHeaders: { header: [{ name: 'X-Proxy', value: 'behind-the-mask' }] },
		};
		const outputs = await run({ credentials });
		const failed = (await run({
			credentials,
			parameters: { options: { failWhenUnhealthy: true } },
		}).catch((error: Error) => error)) as unknown as {
			context: object;
			description: string;
			message: string;
		};
		expect(
			JSON.stringify([outputs, failed.message, failed.description, failed.context]),
		).not.toMatch(/open-sesame|behind-the-mask/);
	});

	it('checks Dify with the Dify credential', async () => {
		await sim();
		const dify = await startDifySim();
		const outputs = await run({
			parameters: { service: 'dify' },
			credentials: { baseUrl: dify.url, apiKey: appKey('workflow'), keyType: 'app' },
		});
		await dify.close();
		expect(credentialTypes).toEqual(['difyApi']);
		expect(outputs[0]).toMatchObject([{ json: { status: 'healthy', app: { mode: 'workflow' } } }]);
	});

	it('reads a Dify credential with missing fields', async () => {
		await sim();
		expect(await run({ parameters: { service: 'dify' }, credentials: {} })).toMatchObject([
			[],
			[{ json: { status: 'misconfigured', findings: [{ id: 'invalidUrl' }] } }],
		]);
	});
});
