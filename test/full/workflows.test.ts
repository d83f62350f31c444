import { appKey } from '../servers/dify';
import { reply, startLlamaServerSim } from '../servers/llama-server';
import { listen, startTcpServer } from '../support/listening';
import { http } from '../support/node';
import {
	example,
	OTHER_EXAMPLES,
	smtpCredential,
	tokenOf,
	WEBHOOK_CREDENTIALS,
} from '../e2e/support/examples';
import { mailServer, unfolded } from '../e2e/support/mail-server';
import { scriptedModel, startLlamaServer } from '../e2e/support/playground';
import {
	activated,
	after,
	anyExecution,
	asked,
	call,
	describeExamples,
	dify,
	difyCredential,
	itemsOf,
	lastExecution,
	localCredential,
	often,
	promptsOf,
	scripted,
	service,
	SLOW,
	started,
	stored,
	submitted,
	theN8n,
} from '../e2e/support/run-examples';
import { until } from '../e2e/support/until';

const PICTURE = Buffer.from(
	'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
	'base64',
);

/** Headers, text and attached page of a mail. */
function partsOf(mail: string): { head: string; text: string; page: string } {
	const [head = '', ...rest] = mail.split('\r\n\r\n');
	const attached = rest.findIndex((part) => part.includes('filename=server-health.html'));
	return {
		head,
		text: rest.slice(0, attached + 1).join('\n'),
		page: Buffer.from((rest[attached + 1] ?? '').split('\r\n--')[0]!, 'base64').toString(),
	};
}

/** Runs of the examples; each returns a description of the result. */
const RUNS: Record<string, () => Promise<string>> = {
	'chat-with-local-model': async () => {
		const server = await scripted([
			{ contains: 'name?', reply: 'Your name is Ada.' },
			{ reply: 'Nice to meet you, Ada.' },
		]);
		const workflow = await activated('chat-with-local-model', {
			local: await localCredential(server),
			model: server.model,
		});
		expect(await asked(workflow, 'I am Ada.')).toBe('Nice to meet you, Ada.');
		const answer = await asked(workflow, 'What is my name?');
		expect(answer).toBe('Your name is Ada.');
		// The memory added the first exchange.
		expect(promptsOf(await lastExecution(workflow.id), 'Local Chat Model')).toContain('I am Ada.');
		return answer;
	},

	'agent-with-tools': async () => {
		const weather = await service(() => ({ current: { temperature_2m: 21.5, wind_speed_10m: 7 } }));
		const server = await scripted([
			{
				last: 'tool',
				reply: '17 times 23 is 391, 12 A-100 are left, and it is 21.5 degrees in Berlin.',
			},
			{
				reply: [
					call('Calculator', { input: '17*23' }),
					call('Stock', { input: 'a-100' }),
					call('Weather', { latitude: 52.5, longitude: 13.4 }),
				].join('\n'),
			},
		]);
		const source = example('agent-with-tools').nodes.find(({ name }) => name === 'Weather')!;
		const change = { Weather: { ...source.parameters, url: `${weather.url}/v1/forecast` } };
		const workflow = await activated('agent-with-tools', {
			local: await localCredential(server),
			model: server.model,
			change,
		});
		const answer = await asked(
			workflow,
			'What is 17 times 23, are there any A-100 left, and how warm is it in Berlin?',
		);
		expect(answer).toContain('391');
		expect(weather.seen).toEqual([
			'/v1/forecast?latitude=52.5&longitude=13.4&current=temperature_2m%2Cwind_speed_10m',
		]);
		const results = promptsOf(await lastExecution(workflow.id), 'Local Chat Model');
		for (const result of ['391', '12 pieces in stock', '21.5']) expect(results).toContain(result);
		return answer;
	},

	'describe-image': async () => {
		const server = await startLlamaServerSim({ vision: true });
		after(async () => await server.close());
		server.script(reply.text('A single white pixel on a plain background.'));
		const workflow = await activated('describe-image', {
			local: await localCredential(server),
			model: 'sim-model',
		});
		const page = await submitted(workflow, [
			{ name: 'pixel.png', type: 'image/png', bytes: PICTURE },
			'What do you see?',
		]);
		expect(page).toContain('A single white pixel');
		const sent = server.requests.find(({ path }) => path.endsWith('/chat/completions'))!;
		expect(JSON.stringify(sent.body)).toContain(
			`data:image/png;base64,${PICTURE.toString('base64')}`,
		);
		expect(JSON.stringify(sent.body)).toContain('What do you see?');
		return (itemsOf(await lastExecution(workflow.id), 'Look at the image')[0] as { text: string })
			.text;
	},

	'extract-structured-data': async () => {
		const order = {
			customer: 'Erika Berg',
			orderNumber: '2024-117',
			items: [
				{ article: 'A-100', quantity: 12 },
				{ article: 'B-200', quantity: 3 },
			],
			urgent: true,
		};
		const server = await scripted([{ contains: 'Erika Berg', reply: JSON.stringify(order) }]);
		const execution = await started('extract-structured-data', {
			local: await localCredential(server),
			model: server.model,
		});
		expect(execution.status).toBe('success');
		expect(itemsOf(execution, 'Today')).toEqual([order]);
		return JSON.stringify(itemsOf(execution, 'Today')[0]);
	},

	'summarize-documents': async () => {
		const server = await scripted([
			{ contains: 'PART', reply: 'The whole story in one sentence.' },
			{ reply: 'PART of the story.' },
		]);
		const workflow = await activated('summarize-documents', {
			local: await localCredential(server),
			model: server.model,
		});
		const document = Array.from(
			{ length: 400 },
			(_, line) => `Line ${line}: the miller opens the gate and listens.`,
		).join('\n');
		const page = await submitted(workflow, [
			{ name: 'story.txt', type: 'text/plain', bytes: document },
		]);
		expect(page).toContain('The whole story in one sentence.');
		const execution = await lastExecution(workflow.id);
		// Four parts, and the summary of the summaries.
		expect(execution.data.resultData.runData['Local Chat Model']!.length).toBeGreaterThan(3);
		return 'The whole story in one sentence.';
	},

	'compare-two-models': async () => {
		const [a, b] = [
			await scripted([{ reply: 'Answer of the first.' }], { alias: 'model-a' }),
			await scripted([{ reply: 'Answer of the second.' }], { alias: 'model-b' }),
		];
		const [first, second] = [await localCredential(a, 'First'), await localCredential(b, 'Second')];
		const execution = await started('compare-two-models', {
			local: { 'Model A': first, 'Speed of A': first, 'Model B': second, 'Speed of B': second },
			model: { 'Model A': 'model-a', 'Model B': 'model-b' },
		});
		expect(execution.data.resultData.error).toBeUndefined();
		const rows = itemsOf(execution, 'Compared');
		expect(rows).toHaveLength(3);
		for (const row of rows) {
			expect(row).toMatchObject({
				answerA: 'Answer of the first.',
				answerB: 'Answer of the second.',
			});
			expect(row.tokensPerSecondA).toBeGreaterThan(0);
			expect(row.tokensPerSecondB).toBeGreaterThan(0);
		}
		expect(rows.map(({ question }) => question)[2]).toContain('A train leaves');
		return `${rows.length} rows, ${String(rows[0]!.tokensPerSecondA)} and ${String(rows[0]!.tokensPerSecondB)} tokens/s`;
	},

	'dify-chat-streamed': async () => {
		const sim = await dify({
			apps: [
				{
					mode: 'chat',
					key: appKey('chat'),
					reply: ({ query }) => ({ steps: [{ text: 'You said: ' }, { text: query }] }),
				},
			],
		});
		const workflow = await activated('dify-chat-streamed', { dify: await difyCredential(sim) });
		await asked(workflow, 'one', 'anna');
		const answer = await asked(workflow, 'two', 'anna');
		expect(answer).toBe('You said: two');
		expect(sim.runs[1]!.conversationId).toBe(sim.runs[0]!.conversationId);
		return answer;
	},

	'dify-chat-with-feedback': async () => {
		const sim = await dify();
		const credential = await stored(WEBHOOK_CREDENTIALS.jwtAuth);
		const others = {
			Ask: { type: 'jwtAuth', credential },
			Rate: { type: 'jwtAuth', credential },
		} as const;
		await activated('dify-chat-with-feedback', { dify: await difyCredential(sim), others });
		const asking = await theN8n().webhook('dify-ask', {
			headers: tokenOf('anna'),
			body: { question: 'Hello' },
		});
		// Visitors do not get passages of documents and prices.
		const given = (await asking.json()) as {
			answer: string;
			messageId: string;
			conversationId: string;
		};
		expect(Object.keys(given).sort()).toEqual(['answer', 'conversationId', 'messageId']);
		const { answer, messageId } = given;
		expect(answer).not.toBe('');
		const rating = { messageId, user: 'anna', rating: 'dislike', text: 'Too short' };
		// A token is required, and the user is not taken from the body.
		for (const headers of [{}, { authorization: 'Bearer x.y.z' }] as Array<
			Record<string, string>
		>) {
			expect(
				(await theN8n().webhook('dify-ask', { headers, body: { question: 'Hello', user: 'anna' } }))
					.ok,
			).toBe(false);
			expect((await theN8n().webhook('dify-rate', { headers, body: rating })).ok).toBe(false);
		}
		expect(
			(await theN8n().webhook('dify-rate', { headers: tokenOf('eve'), body: rating })).ok,
		).toBe(false);
		await theN8n().webhook('dify-ask', {
			headers: tokenOf('eve'),
			body: { question: 'And?', user: 'anna' },
		});
		expect(sim.runs.map(({ user }) => user)).toEqual(['anna', 'eve']);
		expect(sim.runs[1]!.conversationId).not.toBe(sim.runs[0]!.conversationId);
		const rated = await theN8n().webhook('dify-rate', { headers: tokenOf('anna'), body: rating });
		expect(rated.status).toBe(200);
		const feedback = (await (
			await fetch(`${sim.url}/app/feedbacks`, {
				headers: { authorization: `Bearer ${appKey('chat')}` },
			})
		).json()) as { data: Array<Record<string, unknown>> };
		expect(feedback.data).toMatchObject([
			{ message_id: messageId, rating: 'dislike', content: 'Too short' },
		]);
		return `${answer} (rated: dislike, "Too short")`;
	},

	'dify-with-file': async () => {
		const sim = await dify({
			apps: [
				{
					mode: 'chat',
					key: appKey('chat'),
					fileUpload: { enabled: true, types: ['document', 'image'], number: 3 },
					reply: () => ({ steps: [{ text: 'It is a short note.' }] }),
				},
			],
		});
		const workflow = await activated('dify-with-file', { dify: await difyCredential(sim) });
		const page = await submitted(workflow, [
			{ name: 'note.txt', type: 'text/plain', bytes: 'Buy milk.' },
			'',
		]);
		expect(page).toContain('It is a short note.');
		expect(sim.runs).toMatchObject([{ user: 'n8n-form', query: 'What is this about?' }]);
		const upload = sim.requests.find(({ path }) => path === '/files/upload')!;
		expect(upload.status).toBe(201);
		return 'It is a short note.';
	},

	'dify-questions-from-table': async () => {
		const sim = await dify({
			apps: [
				{
					mode: 'chat',
					key: appKey('chat'),
					reply: ({ query }) =>
						query.includes('plans')
							? {
									steps: [
										{
											error: {
												code: 'completion_request_error',
												message: 'The model is gone',
												status: 400,
											},
										},
									],
								}
							: { steps: [{ wait: 100 }, { text: `About: ${query}` }] },
				},
			],
		});
		const execution = await started('dify-questions-from-table', {
			dify: await difyCredential(sim),
		});
		const rows = itemsOf(execution, 'All of them');
		expect(itemsOf(execution, 'Answered').map(({ answer }) => answer)).toEqual([
			'About: What can you help me with?',
			'About: How do I reset my password?',
			'About: How do I delete my account?',
		]);
		expect(itemsOf(execution, 'Failed')).toEqual([
			{
				question: 'Which plans are there?',
				error: expect.stringContaining('The model is gone') as string,
			},
		]);
		expect(rows).toHaveLength(4);
		return `${itemsOf(execution, 'Answered').length} answered, ${itemsOf(execution, 'Failed').length} kept as failed`;
	},

	'health-watch': async () => {
		const server = await startLlamaServer();
		const workflow = await activated('health-watch', {
			local: await localCredential(server),
			change: { 'Every 5 minutes': often },
		});
		const messages = async () => {
			const done = await theN8n().listExecutions({
				workflowId: workflow.id,
				status: ['success', 'error'],
				limit: 100,
			});
			const executions = await Promise.all(
				done.map(async ({ id }) => await theN8n().getExecution(id)),
			);
			return executions.reverse().flatMap((execution) => itemsOf(execution, 'Send message'));
		};
		await anyExecution(workflow.id);
		expect(await messages()).toEqual([]);
		await server.stop();
		const [down] = await until(messages, (sent) => sent.length > 0);
		expect(down).toMatchObject({ status: 'unreachable' });
		await scripted([{ reply: 'x' }], { port: server.port });
		const [, up] = await until(messages, (sent) => sent.length > 1);
		expect(up!.text).toContain('is well again');
		return [down, up].map((message) => String(message!.title)).join('; ');
	},

	'local-first-dify-fallback': async () => {
		const sim = await dify({
			apps: [
				{
					mode: 'chat',
					key: appKey('chat'),
					reply: () => ({ steps: [{ text: 'Dify ' }, { text: 'answers.' }] }),
				},
			],
		});
		const server = await scripted([{ reply: 'The local model answers.' }]);
		const workflow = await activated('local-first-dify-fallback', {
			local: await localCredential(server),
			dify: await difyCredential(sim),
			model: server.model,
		});
		const local = await asked(workflow, 'Who answers?', 'ben');
		expect(local).toBe('The local model answers.');
		expect(sim.runs).toEqual([]);
		await server.stop();
		const fallback = await asked(workflow, 'And now?', 'ben');
		expect(fallback).toBe('Dify answers.');
		expect(sim.runs).toMatchObject([{ query: 'And now?', user: 'ben' }]);
		return `${local} / stopped: ${fallback}`;
	},

	'wait-for-model': async () => {
		// Connections before the model is ready are refused.
		let isAsked = () => {};
		const asking = new Promise<void>((resolve) => (isAsked = resolve));
		const gone = await startTcpServer((socket) => {
			socket.on('error', () => {});
			socket.destroy();
			isAsked();
		});
		const credential = await stored(WEBHOOK_CREDENTIALS.httpHeaderAuth);
		const workflow = await activated('wait-for-model', {
			others: { 'Model restarted': { type: 'httpHeaderAuth', credential } },
			local: await localCredential({ url: `http://127.0.0.1:${gone.port}` }),
			model: 'test-model',
		});
		expect((await theN8n().webhook('model-restarted', { body: {} })).status).toBe(403);
		const headers = { 'X-Restart-Key': 'a long random value' };
		const called = await theN8n().webhook('model-restarted', { headers, body: {} });
		expect(called.status).toBe(200);
		await asking;
		await gone.close();
		await scripted([{ reply: 'I am ready.' }], { port: gone.port, alias: 'test-model' });
		const execution = await lastExecution(workflow.id);
		const [ready] = itemsOf(execution, 'Wait until ready');
		expect(ready).toMatchObject({ healthy: true, status: 'healthy' });
		expect(ready!.checks).toBeGreaterThan(1);
		expect(itemsOf(execution, 'First run')).toEqual([{ text: 'I am ready.' }]);
		return `I am ready. (after ${String(ready!.checks)} checks)`;
	},

	'agent-with-dify-tool': async () => {
		const sim = await dify({
			apps: [
				{
					mode: 'chat',
					key: appKey('chat'),
					reply: () => ({ steps: [{ text: 'We are open from 9 to 5.' }] }),
				},
			],
		});
		const server = await scripted([
			{ last: 'tool', reply: 'The shop is open from 9 to 5.' },
			{ reply: call('Company_knowledge', { question: 'When are you open?' }) },
		]);
		const workflow = await activated('agent-with-dify-tool', {
			local: await localCredential(server),
			dify: await difyCredential(sim),
			model: server.model,
		});
		const answer = await asked(workflow, 'When can I come?', 'cleo');
		expect(answer).toBe('The shop is open from 9 to 5.');
		expect(sim.runs).toMatchObject([{ query: 'When are you open?', user: 'cleo' }]);
		expect(promptsOf(await lastExecution(workflow.id), 'Local Chat Model')).toContain(
			'We are open from 9 to 5.',
		);
		return answer;
	},

	'weekly-server-report': async () => {
		// Fast, so that reports do not overlap; and with real words, since noise is reported as broken.
		const model = await scriptedModel([
			{ reply: 'All is well here, and nothing is broken. '.repeat(40) },
		]);
		const server = await startLlamaServer({ model, contextSize: 8192, parallel: 2 });
		const { port, mails } = await mailServer();
		const workflow = await activated('weekly-server-report', {
			local: await localCredential(server),
			others: { 'Send e-mail': { type: 'smtp', credential: await stored(smtpCredential(port)) } },
			change: { 'Every Monday at 8': often },
		});
		const [report] = itemsOf(await anyExecution(workflow.id), 'Report');
		expect(report).toMatchObject({
			status: 'healthy',
			speed: { runs: [{ atOnce: 1 }, { atOnce: 2 }] },
		});
		const healthy = partsOf(mails[0]!);
		expect(healthy.head).toContain('Subject: Weekly server report: healthy');
		expect(unfolded(healthy.text)).toContain('tokens/s');
		for (const text of ['<h1>Weekly server report</h1>', server.url, '<svg'])
			expect(healthy.page).toContain(text);
		await server.stop();
		const down = await until(
			async () => await Promise.resolve(mails.map(partsOf)),
			(all) => all.some(({ head }) => !head.includes('report: healthy')),
		);
		const last = down.find(({ head }) => !head.includes('report: healthy'))!;
		expect(last.head).toContain('Subject: Weekly server report: unreachable');
		expect(last.page).toContain('Weekly server report');
		return String(report!.summary);
	},
};

describe('an alert of health-watch', () => {
	it(
		'that could not be sent is sent at a later check, also when the server is well again by then',
		async () => {
			const server = await startLlamaServer();
			let isBroken = true;
			const received: string[] = [];
			const chat = http.createServer((request, response) => {
				let body = '';
				request.on('data', (piece: Buffer) => (body += piece.toString()));
				request.on('end', () => {
					if (!isBroken) received.push(body);
					response
						.writeHead(isBroken ? 500 : 200, { 'content-type': 'application/json' })
						.end('{}');
				});
			});
			const port = await listen(chat);
			after(async () => {
				await new Promise((resolve) => chat.close(resolve));
			});
			const watch = example('health-watch', {
				local: await localCredential(server),
				change: { 'Every 5 minutes': often },
			});
			const send = {
				type: 'n8n-nodes-base.httpRequest',
				typeVersion: 4.2,
				parameters: {
					method: 'POST',
					url: `http://127.0.0.1:${port}/`,
					sendBody: true,
					contentType: 'raw',
					rawContentType: 'text/plain',
					body: '={{ $json.text }}',
					options: {},
				},
			};
			const nodes = watch.nodes.map((node) =>
				node.name === 'Send message' ? { ...node, ...send } : node,
			);
			const { id } = await theN8n().createWorkflow({ ...watch, nodes });
			await theN8n().activate(id);
			after(async () => {
				await theN8n().request('POST', `/rest/workflows/${id}/deactivate`, {});
			});
			const failures = async () =>
				await theN8n().listExecutions({ workflowId: id, status: ['error'], limit: 100 });
			await anyExecution(id);
			await server.stop();
			await until(failures, ({ length }) => length > 0);
			await scripted([{ reply: 'x' }], { port: server.port });
			const failed = (await failures()).length;
			await until(failures, ({ length }) => length > failed);
			isBroken = false;
			await until(
				async () => await Promise.resolve(received),
				({ length }) => length > 0,
			);
			expect(received[0]).toMatch(/is unreachable\n[\s\S]*is well again/);
			// Reported once: the next checks report nothing.
			const done = async () =>
				await theN8n().listExecutions({ workflowId: id, status: ['success'], limit: 100 });
			const before = (await done()).length;
			await until(done, ({ length }) => length > before + 1);
			expect(received).toHaveLength(1);
		},
		SLOW,
	);
});

describeExamples(OTHER_EXAMPLES, RUNS);
