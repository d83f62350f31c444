import { checkServer, waitUntilReady } from '../../lib/health/check';
import type { CheckOptions } from '../../lib/health/probe';
import type { CheckResult } from '../../lib/health/check-result';
import { addSpeedTest } from '../../lib/health/speed';
import { closePools } from '../../lib/http/dispatcher';
import { toCheckTarget } from '../../nodes/shared/health/target';
import { delay, fs, http, net, path, process } from '../support/node-builtins';
import { listen } from '../support/listen';
import {
	llamaCredential,
	parts,
	scriptedModel,
	startLlamaServer,
	startN8n,
	stopEverything,
	type Execution,
	type LlamaServer,
	type N8nServer,
	type Workflow,
} from '../e2e/support/playground';
import { until } from '../e2e/support/until';
import { agent, EVERY_SECOND, localModel, MANUAL, workflowOf } from '../e2e/support/workflows';

afterAll(async () => {
	await stopEverything();
	await closePools();
});

interface Reachable {
	url: string;
}

async function check(
	{ url }: Reachable,
	options: CheckOptions = {},
	credential: Record<string, unknown> = {},
): Promise<CheckResult> {
	// Longer than the node's own timeout, for busy machines.
	return await checkServer(toCheckTarget('modelServer', { baseUrl: url, ...credential }), {
		timeoutMs: 60_000,
		...options,
	});
}

function ids({ findings }: CheckResult): string[] {
	return findings.map(({ id }) => id);
}

async function isTaken(port: number): Promise<boolean> {
	const socket = net.connect(port, '127.0.0.1');
	const isPortTaken = await new Promise<boolean>((resolve) => {
		socket.once('connect', () => resolve(true));
		socket.once('error', () => resolve(false));
	});
	socket.destroy();
	return isPortTaken;
}

/** Keeps a server's slots busy until it is stopped. */
function occupy(
	{ url }: Reachable,
	count: number,
	body: Record<string, unknown> = {},
): { stop(): Promise<void> } {
	const abort = new AbortController();
	const requests = Array.from({ length: count }, async () => {
		const response = await fetch(`${url}/v1/chat/completions`, {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify({
				messages: [{ role: 'user', content: 'Tell me a long story.' }],
				stream: true,
				max_tokens: 1500,
				ignore_eos: true,
				...body,
			}),
			signal: abort.signal,
		});
		await response.text();
	});
	const ended = Promise.allSettled(requests);
	return {
		stop: async () => {
			abort.abort();
			await ended;
		},
	};
}

describe('the real llama-server', () => {
	it('healthy: every detail that it reports', async () => {
		const server = await startLlamaServer({
			contextSize: 16384,
			parallel: 2,
			apiKey: 'right-key',
			args: ['--metrics'],
		});
		const result = await check(server, {}, { apiKey: 'right-key' });
		expect(result).toMatchObject({
			status: 'healthy',
			server: { type: 'llamaServer', slots: 2, busySlots: 0, queue: 0, sleeping: false },
			models: [
				{
					id: 'test-model',
					loaded: true,
					state: 'loaded',
					vision: false,
					tools: true,
					embeddings: false,
					parameters: expect.any(Number) as number,
					size: expect.any(Number) as number,
				},
			],
		});
		// The build of the Python package has no Git, and names no version.
		expect(result.server.version ?? 'b1-').toMatch(/^b\d+-/);
		expect(result.models![0]!.context).toBe(result.server.contextPerSlot);
		// Nothing was generated.
		expect((await server.slots()).every((slot) => !('id_task' in slot))).toBe(true);

		const wrong = await check(server, {}, { apiKey: 'wrong-key-4711' });
		expect(wrong).toMatchObject({
			status: 'unauthorized',
			server: { type: 'llamaServer' },
			findings: [{ id: 'unauthorized' }],
		});
		expect(JSON.stringify(wrong)).not.toContain('wrong-key-4711');
		expect((await check(server)).findings[0]!.detail).toBe(
			'The server requires an API key, but the credential has none',
		);
		expect(
			ids(await check(server, { expectations: { minContext: 100_000 } }, { apiKey: 'right-key' })),
		).toContain('contextBelowExpected');
		const https = await check(
			{ url: server.url.replace('http:', 'https:') },
			{ timeoutMs: 2000 },
			{ apiKey: 'right-key' },
		);
		expect(https).toMatchObject({ status: 'unreachable', findings: [{ id: 'noResponse' }] });
		expect(https.findings[0]!.suggestion).toContain(`use http:// in the Base URL: ${server.url}`);
		expect(ids(await check({ url: `${server.url}/api/v1` }, {}, { apiKey: 'right-key' }))).toEqual([
			'routeNotFound',
		]);
		await server.stop();
	});

	it('a model whose template does not support tools: a warning, and the server stays healthy', async () => {
		const server = await startLlamaServer({
			model: parts().smolLm2,
			contextSize: 8192,
			parallel: 1,
		});
		const result = await check(server);
		expect(result).toMatchObject({
			status: 'healthy',
			models: [{ tools: false }],
			findings: [{ id: 'modelLacksTools', severity: 'warning' }],
		});
		expect(result.findings[0]!.detail).toBe('Agents cannot call tools with the model "test-model"');
		await server.stop();
	});

	it.each([
		['one slot', { contextSize: 2048, parallel: 1 }, ''],
		['four slots', { contextSize: 8192, parallel: 4 }, ' --kv-unified'],
	])(
		'suggestions for the context never exceed the trained context: %s',
		async (_name, options, shared) => {
			const server = await startLlamaServer({ model: parts().smolLm2, ...options });
			const small = await check(server);
			expect(small.models).toMatchObject([{ context: 2048, trainedContext: 8192 }]);
			const few = await check(server, { expectations: { minContext: 4096 } });
			const largeContext = await check(server, { expectations: { minContext: 32_768 } });
			const adviceOf = ({ findings }: CheckResult, id: string) =>
				findings.find((one) => one.id === id)!.suggestion;
			expect(adviceOf(few, 'contextBelowExpected')).toBe(
				`Start llama-server with --ctx-size 4096${shared}.`,
			);
			const suggestion = `Start llama-server with --ctx-size 8192${shared}. The model was trained for 8192 tokens, so no setting gives it more: choose a model with a larger context.`;
			expect(adviceOf(small, 'contextSmallForAgents')).toBe(suggestion);
			expect(adviceOf(largeContext, 'contextBelowExpected')).toBe(suggestion);
			await server.stop();
		},
	);

	it('is for embeddings', async () => {
		const server = await startLlamaServer({ args: ['--embeddings'] });
		expect((await check(server)).models).toMatchObject([{ embeddings: true }]);
		await server.stop();
	});

	it('is detected while it loads, and waited for', async () => {
		const server = await startLlamaServer({
			model: parts().smolLm2,
			contextSize: 8192,
			wait: false,
		});
		// The server accepts connections before it loads the model. An earlier check takes longer with a slow resolver.
		while (server.service.running && !(await isTaken(server.port))) await delay(5);
		const result = await waitUntilReady(async () => await check(server), {
			timeoutMs: 240_000,
			pausesMs: [10],
		});
		expect(result.status).toBe('healthy');
		expect(result.wait.history.map(({ status }) => status)).toContain('loading');
		await server.stop();
	});

	it('two slots busy, and a queue', async () => {
		const server = await startLlamaServer({
			model: parts().smolLm2,
			contextSize: 8192,
			parallel: 2,
			args: ['--metrics'],
		});
		const busy = occupy(server, 3);
		const queued = await until(
			async () => await check(server),
			({ server: { queue } }) => queue === 1,
		);
		expect(queued).toMatchObject({
			status: 'healthy',
			server: { slots: 2, busySlots: 2, queue: 1 },
		});
		expect(ids(queued)).toContain('requestsQueued');
		await busy.stop();
		await until(
			async () => await check(server),
			({ server: { busySlots } }) => busySlots === 0,
		);
		await server.stop();
	});

	it('sleeps: is not woken, and not kept awake', async () => {
		const server = await startLlamaServer({ args: ['--sleep-idle-seconds', '1', '--metrics'] });
		// It falls asleep although it is checked ten times a second.
		const asleep = await until(
			async () => await check(server),
			({ server: { sleeping } }) => sleeping === true,
		);
		expect(asleep).toMatchObject({ status: 'healthy', models: [{ state: 'sleeping' }] });
		expect(ids(asleep)).toContain('serverSleeping');
		expect((await server.props()).is_sleeping).toBe(true);
		await server.stop();
	});

	it('frozen, then killed between two checks', async () => {
		const server = await startLlamaServer();
		expect((await check(server)).status).toBe('healthy');
		server.service.kill('SIGSTOP');
		// On a busy machine it continues for a moment.
		const frozen = await until(
			async () => await check(server, { timeoutMs: 500 }),
			({ status }) => status === 'unreachable',
		);
		expect(frozen.findings).toMatchObject([{ id: 'noResponse' }]);
		server.service.kill('SIGCONT');
		await server.stop();
		const stopped = await check(server);
		expect(stopped).toMatchObject({ status: 'unreachable', findings: [{ id: 'refused' }] });
	});

	it('speed test: one and two concurrent requests', async () => {
		const server = await startLlamaServer({
			model: parts().smolLm2,
			contextSize: 4096,
			parallel: 2,
		});
		const result = await addSpeedTest(
			toCheckTarget('modelServer', { baseUrl: server.url }),
			await check(server),
			{
				model: '',
				tokens: 24,
				concurrency: 2,
				firstTokenMs: 240_000,
				totalMs: 240_000,
			},
		);
		expect(result).toMatchObject({
			status: 'healthy',
			speed: { model: 'test-model', runs: [{ concurrentRequests: 1 }, { concurrentRequests: 2 }] },
		});
		for (const { failures, tokensPerSecond, promptTokensPerSecond } of result.speed!.runs) {
			expect(failures).toEqual([]);
			expect(tokensPerSecond).toBeGreaterThan(0);
			expect(promptTokensPerSecond).toBeGreaterThan(0);
		}
		await server.stop();
	});
});

describe('the real n8n', () => {
	let n8n: N8nServer;
	let server: LlamaServer;

	beforeAll(async () => {
		n8n = await startN8n();
		const call = '<tool_call>\n{"name": "Server_Health", "arguments": {}}\n</tool_call>';
		server = await startLlamaServer({
			model: await scriptedModel(
				[
					{
						last: 'tool',
						contains: '"status":"unauthorized"',
						reply: 'The server refuses the key.',
					},
					{ last: 'tool', contains: '"status":"healthy"', reply: 'All is well.' },
					{ last: 'user', reply: call },
				],
				{ contextLength: 32768 },
			),
			contextSize: 32768,
			parallel: 1,
			apiKey: 'right-key-0815',
			args: ['--metrics'],
		});
	});

	const health = (
		credential: { id: string; name: string },
		parameters: Record<string, unknown> = {},
	) => ({
		type: 'CUSTOM.serverHealth',
		parameters: { operation: 'check', ...parameters },
		credentials: { localLlamaApi: { id: credential.id, name: credential.name } },
	});

	async function credentialFor(
		data: Record<string, unknown> = {},
	): Promise<{ id: string; name: string }> {
		return await n8n.createCredential({
			...llamaCredential(server, { apiKey: 'right-key-0815', ...data }),
			id: undefined,
		});
	}

	/** Start → Server Health, whose outputs lead to nodes of these names. */
	function branches(
		credential: { id: string; name: string },
		outputs: string[],
		parameters: Record<string, unknown> = {},
		more: object = {},
	): Workflow {
		const workflow = workflowOf('Health', {
			Start: { ...MANUAL, to: ['Server Health'] },
			'Server Health': { ...health(credential, parameters), ...more },
			...Object.fromEntries(outputs.map((name) => [name, { type: 'n8n-nodes-base.noOp' }])),
		});
		workflow.connections['Server Health'] = {
			main: outputs.map((node) => [{ node, type: 'main', index: 0 }]),
		};
		return workflow;
	}

	async function run(workflow: Workflow): Promise<Execution> {
		return await n8n.waitForExecution(
			await n8n.runWorkflow(await n8n.createWorkflow(workflow), 'Start'),
		);
	}

	/** Input items of a node, by name; undefined if it did not run. */
	function itemsOf(
		{ data }: Pick<Execution, 'data'>,
		node: string,
	): Array<Record<string, unknown>> | undefined {
		return data.resultData.runData[node]?.[0]?.data?.main?.[0]?.map(({ json }) => json);
	}

	it('uses the output Healthy or Unhealthy', async () => {
		const outputs = ['Healthy', 'Unhealthy'];
		const well = await run(branches(await credentialFor(), outputs));
		expect(well.status).toBe('success');
		expect(itemsOf(well, 'Healthy')).toMatchObject([
			{ status: 'healthy', server: { type: 'llamaServer' } },
		]);
		expect(itemsOf(well, 'Unhealthy')).toBeUndefined();

		const unwell = await run(branches(await credentialFor({ apiKey: 'wrong-key-4711' }), outputs));
		expect(unwell.status).toBe('success');
		expect(itemsOf(unwell, 'Healthy')).toBeUndefined();
		expect(itemsOf(unwell, 'Unhealthy')).toMatchObject([
			{ status: 'unauthorized', findings: [{ id: 'unauthorized' }] },
		]);
		expect(JSON.stringify([well, unwell])).not.toMatch(/right-key-0815|wrong-key-4711/);
	});

	it('fails if it is set to, with a suggestion', async () => {
		const failed = await run(
			branches(await credentialFor({ apiKey: 'wrong-key-4711' }), [], {
				options: { failWhenUnhealthy: true },
			}),
		);
		expect(failed.status).toBe('error');
		expect(failed.data.resultData.error).toMatchObject({
			message: 'The server rejected the API key',
			description: expect.stringContaining('--api-key') as string,
		});
	});

	it('an error is sent to the error output, which n8n adds', async () => {
		const workflow = branches(
			await credentialFor({ apiKey: 'wrong-key-4711' }),
			['Healthy', 'Unhealthy', 'Error'],
			{ options: { failWhenUnhealthy: true } },
			{ onError: 'continueErrorOutput' },
		);
		const failed = await run(workflow);
		expect(itemsOf(failed, 'Healthy') ?? []).toEqual([]);
		expect(itemsOf(failed, 'Unhealthy') ?? []).toEqual([]);
		expect(itemsOf(failed, 'Error')).toMatchObject([
			{
				error: {
					message: 'The server rejected the API key',
					status: 'unauthorized',
					findings: [{ id: 'unauthorized' }],
				},
			},
		]);
	});

	it.each([
		['3 (the engine runs the tool)', 3],
		['2.2 (the agent runs the tool)', 2.2],
	])(
		'is a tool of AI Agent %s: an unhealthy server reaches the agent as one result',
		async (_name, typeVersion) => {
			const works = await credentialFor();
			for (const [credential, answer, status] of [
				[works, 'All is well.', 'healthy'],
				[
					await credentialFor({ apiKey: 'wrong-key-4711' }),
					'The server refuses the key.',
					'unauthorized',
				],
			] as const) {
				const execution = await run(
					workflowOf('Tool', {
						Start: MANUAL,
						Agent: { ...agent('Is the server well?'), typeVersion },
						'Local Chat Model': localModel(works),
						'Server Health': {
							...health(credential),
							type: 'CUSTOM.serverHealthTool',
							serves: [['ai_tool', 'Agent']],
						},
					}),
				);
				expect(itemsOf(execution, 'Agent')).toEqual([{ output: answer }]);
				const results = execution.data.resultData.runData['Server Health']!.map((one) =>
					JSON.stringify(one.data!.ai_tool![0]!.map(({ json }) => json)),
				);
				expect(results).toHaveLength(1);
				expect(results[0]).toContain(`"status":"${status}"`);
				expect(results[0]).not.toMatch(/right-key-0815|wrong-key-4711/);
			}
		},
	);

	it('the example workflow reports once when the server becomes unhealthy, and once when it is healthy again', async () => {
		const example = JSON.parse(
			fs
				.readFileSync(path.join(process.cwd(), 'workflows', 'health-watch.json'), 'utf8')
				.replaceAll('"n8n-nodes-local-llama.', '"CUSTOM.'),
		) as Workflow;
		const watched = await startLlamaServer({ args: ['--metrics'] });
		const credential = await n8n.createCredential({ ...llamaCredential(watched), id: undefined });
		for (const node of example.nodes) {
			if (node.type === 'CUSTOM.serverHealth') {
				node.credentials = { localLlamaApi: { id: credential.id, name: credential.name } };
				// By default 2.5 s, which a server on a busy machine may need.
				node.parameters = { ...node.parameters, options: { timeout: 60 } };
			}
			if (node.type === 'n8n-nodes-base.scheduleTrigger')
				node.parameters = { rule: { interval: [{ field: 'seconds', secondsInterval: 5 }] } };
		}
		const created = await n8n.createWorkflow(example);
		await n8n.activate(created.id);
		const messages = async () => {
			const executions = await n8n.listExecutions({
				workflowId: created.id,
				status: ['success', 'error'],
				limit: 100,
			});
			const details = await Promise.all(
				executions.map(async ({ id }) => await n8n.getExecution(id)),
			);
			return details.reverse().flatMap((execution) => itemsOf(execution, 'Send message') ?? []);
		};
		await until(
			async () =>
				(await n8n.listExecutions({ workflowId: created.id, status: ['success'] })).length,
			(count) => count >= 2,
		);
		expect(await messages()).toEqual([]);
		await watched.stop();
		const [down] = await until(messages, (sent) => sent.length > 0);
		expect(down).toMatchObject({
			title: `The server at ${watched.url} is unreachable`,
			status: 'unreachable',
		});
		expect(down!.text).toMatch(/What to do: Check that the model server is running/);
		await startLlamaServer({ port: watched.port, args: ['--metrics'] });
		const sentMessages = await until(messages, (all) => all.length > 1);
		expect(sentMessages.map(({ status }) => status)).toEqual(['unreachable', 'healthy']);
		expect(sentMessages[1]!.text).toMatch(
			/is healthy again\n.*responds in \d+ ms.*\nIt was down since /,
		);
		await n8n.request('POST', `/rest/workflows/${created.id}/deactivate`, {});
	});

	it("n8n's own protection against private addresses is named", async () => {
		const guarded = await startN8n({ env: { N8N_SSRF_PROTECTION_ENABLED: 'true' } });
		const credential = await guarded.createCredential({
			...llamaCredential(server, { apiKey: 'right-key-0815' }),
			id: undefined,
		});
		const created = await guarded.createWorkflow(branches(credential, ['Healthy', 'Unhealthy']));
		const execution = await guarded.waitForExecution(await guarded.runWorkflow(created, 'Start'));
		// n8n before 2.30 has no egress filter for nodes (docs/protocols/n8n.md 4.3).
		const hasFilter = Number(parts().n8n.version.split('.')[1]) >= 30;
		if (hasFilter)
			expect(itemsOf(execution, 'Unhealthy')).toMatchObject([
				{ status: 'misconfigured', findings: [{ id: 'blockedByPolicy' }] },
			]);
		else expect(itemsOf(execution, 'Healthy')).toMatchObject([{ status: 'healthy' }]);
		await guarded.stop();
	});
});

describe('Server Health Trigger in the real n8n', () => {
	/** An external service that accepts messages. `sent`: their titles. */
	async function mailbox() {
		const sentMessages: string[] = [];
		const server = http.createServer((request, response) => {
			void (async () => {
				request.setEncoding('utf8');
				let body = '';
				for await (const part of request) body += String(part);
				sentMessages.push((JSON.parse(body) as { title: string }).title);
				response.end('{}');
			})();
		});
		const port = await listen(server);
		return { url: `http://127.0.0.1:${port}`, sent: sentMessages, close: () => server.close() };
	}

	it('reports a change once', async () => {
		const n8n = await startN8n();
		const llama = await startLlamaServer();
		const mail = await mailbox();
		const { id } = await n8n.createCredential(llamaCredential(llama));
		const workflow = await n8n.createWorkflow(
			workflowOf('Watch', {
				Watch: {
					type: 'CUSTOM.serverHealthTrigger',
					parameters: {
						pollTimes: EVERY_SECOND,
						service: 'modelServer',
						options: { confirmations: 1, timeout: 10 },
					},
					credentials: { localLlamaApi: { id, name: 'llama' } },
					to: ['Send'],
				},
				Send: {
					type: 'n8n-nodes-base.httpRequest',
					typeVersion: 4.2,
					parameters: {
						method: 'POST',
						url: mail.url,
						sendBody: true,
						specifyBody: 'json',
						jsonBody: '={{ JSON.stringify({ title: $json.title }) }}',
						options: {},
					},
				},
			}),
		);
		const firstState = async () => {
			const { staticData } = await n8n.request<{
				staticData: Record<string, { state?: { status: string } }> | null;
			}>('GET', `/rest/workflows/${workflow.id}`);
			return staticData?.['node:Watch']?.state?.status;
		};
		try {
			await n8n.activate(workflow.id);
			await until(firstState, (status) => status === 'healthy');
			await delay(3000);
			expect(mail.sent).toEqual([]);
			await llama.stop();
			await until(
				async () => mail.sent.length,
				(count) => count >= 1,
			);
			await delay(5000);
			expect(mail.sent).toEqual([`The server at ${llama.url} is unreachable`]);
		} finally {
			await n8n.request('POST', `/rest/workflows/${workflow.id}/deactivate`, {});
			mail.close();
		}
	});
});
