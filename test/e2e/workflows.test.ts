/**
 * The example workflows in the real n8n, each run once on scripted servers. `npm run test:full` tests more features of
 * some of them.
 */
import { addDataset, addDocument, appKey, knowledgeKey } from '../simulators/dify';
import type { AppSpec, DifySim } from '../simulators/dify';
import { startLlamaServerSim } from '../simulators/llama-server';
import { startKokoroSim } from '../simulators/media/kokoro';
import { startSdServerSim } from '../simulators/media/sd-server';
import { startWhisperSim } from '../simulators/media/whisper';
import { startTcpServer } from '../support/servers/listen';
import * as fs from 'node:fs';
import path from 'node:path';
import {
	EXAMPLES,
	example,
	RUN_IN_FULL,
	smtpCredential,
	tokenOf,
	WEBHOOK_CREDENTIALS,
} from './support/examples';
import type { Named, Wiring } from './support/examples';
import { mailServer, unfolded } from './support/mail-server';
import { parts } from './support/playground';
import type { Execution } from './support/playground';
import { pressing } from './support/pressing';
import {
	activated,
	after,
	startRuleServer,
	anyExecution,
	sendChatMessage,
	describeExamples,
	dify,
	difyCredential,
	itemsOf,
	lastExecution,
	localCredential,
	promptsOf,
	service,
	shareN8n,
	runExample,
	stored,
	submitted,
	submittedForm,
	theN8n,
	fetchChatResponse,
} from './support/run-examples';
import type { Rule } from './support/run-examples';
import { until } from './support/until';

const PICTURE = Buffer.from(
	'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
	'base64',
);
const MODEL = 'sim-model';

/** A model server that responds by rules, for the credential of an example. */
async function modelOf(rules: Rule[]): Promise<{ local: Named; model: string }> {
	return { local: await localCredential(await startRuleServer(rules)), model: MODEL };
}

/** The files that Dify received, in order, with their bytes as Latin-1. */
const receivedFiles = (sim: DifySim) =>
	sim.requests
		.flatMap(({ upload }) => upload?.parts ?? [])
		.filter(({ filename }) => filename !== undefined)
		.map(({ filename: name, mimeType: type, content }) => ({
			name,
			type,
			bytes: Buffer.from(content).toString('latin1'),
		}));

/** A Dify with one app. */
const appOf = async (mode: 'chat' | 'workflow', spec: Partial<AppSpec>): Promise<DifySim> =>
	await dify({ apps: [{ mode, key: appKey(mode), ...spec }] });

const difyKey = async (
	sim: DifySim,
	apiKey: string,
	keyType: 'app' | 'knowledge' = 'app',
): Promise<Named> =>
	await stored({ name: 'My Dify', type: 'difyApi', data: { baseUrl: sim.url, apiKey, keyType } });

/** A knowledge base with one text about llamas. */
async function animals() {
	const sim = await dify();
	const base = addDataset(sim.store, { name: 'Animals', technique: 'high_quality' });
	addDocument(sim.store, base, { name: 'llama.txt', text: 'The llama lives in the Andes.' });
	return { knowledgeBase: base.id, dify: await difyKey(sim, knowledgeKey(), 'knowledge') };
}

/** Runs an example from one of its triggers, as the editor does, also from a schedule. */
async function startedFrom(trigger: string, name: string, wiring: Wiring): Promise<Execution> {
	const created = await theN8n().createWorkflow(example(name, wiring));
	return await theN8n().waitForExecution(await theN8n().runWorkflow(created, trigger));
}

const rowsOf = (execution: Execution, node: string) => {
	expect(execution.data.resultData.error).toBeUndefined();
	return itemsOf(execution, node);
};

/** An empty folder that n8n may read files from. */
function folderOf(name: string): string {
	const folder = path.join(parts().shared!.readable, name);
	fs.mkdirSync(folder, { recursive: true });
	return folder;
}

const RUNS: Record<string, () => Promise<string>> = {
	'chat-with-local-model': async () => {
		const wiring = await modelOf([
			{ contains: 'name?', says: 'Your name is Ada.' },
			{ says: 'Nice to meet you, Ada.' },
		]);
		const workflow = await activated('chat-with-local-model', wiring);
		expect(await sendChatMessage(workflow, 'I am Ada.')).toBe('Nice to meet you, Ada.');
		const answer = await sendChatMessage(workflow, 'What is my name?');
		// The memory added the first exchange.
		expect(promptsOf(await lastExecution(workflow.id), 'Local Chat Model')).toContain('I am Ada.');
		return answer;
	},

	'agent-with-tools': async () => {
		const weather = await service(() => ({ current: { temperature_2m: 21.5, wind_speed_10m: 7 } }));
		const wiring = await modelOf([
			{ last: 'tool', says: '391, 12 pieces, and 21.5 degrees.' },
			{
				says: [
					{ name: 'Calculator', arguments: { input: '17*23' } },
					{ name: 'Stock', arguments: { input: 'a-100' } },
					{ name: 'Weather', arguments: { latitude: 52.5, longitude: 13.4 } },
				],
			},
		]);
		const source = example('agent-with-tools').nodes.find(({ name }) => name === 'Weather')!;
		const change = { Weather: { ...source.parameters, url: `${weather.url}/v1/forecast` } };
		const workflow = await activated('agent-with-tools', { ...wiring, change });
		const answer = await sendChatMessage(
			workflow,
			'What is 17 times 23, and how warm is it in Berlin?',
		);
		const results = promptsOf(await lastExecution(workflow.id), 'Local Chat Model');
		for (const result of ['391', '12 pieces in stock', '21.5']) expect(results).toContain(result);
		return answer;
	},

	'describe-image': async () => {
		const sim = await startRuleServer([{ says: 'A single pixel.' }], { vision: true });
		const local = await localCredential(sim);
		const workflow = await activated('describe-image', { local, model: MODEL });
		const upload = { name: 'pixel.png', type: 'image/png', bytes: PICTURE };
		expect(await submitted(workflow, [upload, 'What do you see?'])).toContain('A single pixel.');
		expect(JSON.stringify(sim.requests.map(({ body }) => body))).toContain(
			`data:image/png;base64,${PICTURE.toString('base64')}`,
		);
		return 'A single pixel.';
	},

	'summarize-documents': async () => {
		const wiring = await modelOf([
			{ contains: 'PART', says: 'The whole story.' },
			{ says: 'PART of the story.' },
		]);
		const workflow = await activated('summarize-documents', wiring);
		const bytes = 'The miller opens the gate and listens.\n'.repeat(400);
		const upload = { name: 'story.txt', type: 'text/plain', bytes };
		expect(await submitted(workflow, [upload])).toContain('The whole story.');
		return 'The whole story.';
	},

	'model-selector': async () => {
		const large = await localCredential(await startRuleServer([{ says: 'Carefully.' }]), 'Large');
		const small = await localCredential(await startRuleServer([{ says: 'Hi.' }]), 'Small');
		const workflow = await activated('model-selector', {
			local: { 'Large model': large, 'Small model': small },
			model: { 'Large model': MODEL, 'Small model': MODEL },
		});
		expect(await sendChatMessage(workflow, 'Hello')).toBe('Hi.');
		expect(await sendChatMessage(workflow, 'Why is the sky blue?')).toBe('Carefully.');
		return 'Hello: small, Why: large';
	},

	'model-with-fallback': async () => {
		const first = await startRuleServer([{ says: 'The first answers.' }]);
		const second = await startRuleServer([{ says: 'The second answers.' }]);
		const workflow = await activated('model-with-fallback', {
			local: {
				'Local Chat Model': await localCredential(first, 'First'),
				'Fallback model': await localCredential(second, 'Second'),
			},
			model: { 'Local Chat Model': MODEL, 'Fallback model': MODEL },
		});
		expect(await sendChatMessage(workflow, 'Who answers?')).toBe('The first answers.');
		await first.close();
		const answer = await sendChatMessage(workflow, 'And now?');
		expect(answer).toBe('The second answers.');
		return answer;
	},

	'mcp-tools': async () => {
		const wiring = await modelOf([
			{ last: 'tool', says: 'The tool has said it.' },
			{ says: [{ name: 'MCP_Client_Calculator', arguments: { input: '17*23' } }] },
		]);
		const credential = await stored({
			name: 'MCP key',
			type: 'httpHeaderAuth',
			data: { name: 'Authorization', value: 'Bearer a-long-random-value' },
		});
		const key = { type: 'httpHeaderAuth' as const, credential };
		const workflow = await activated('mcp-tools', {
			...wiring,
			others: { 'MCP Server Trigger': key, 'MCP Client': key },
			change: { 'MCP Client': { endpointUrl: `${theN8n().url}/mcp/local-tools` } },
		});
		const answer = await sendChatMessage(workflow, 'What is 17 times 23?');
		// The tool call is a separate execution.
		await anyExecution(workflow.id, ({ data }) => JSON.stringify(data).includes('391'));
		return answer;
	},

	'approve-tool-call': async () => {
		const cancelled = (toolParameters: object, more = {}) => [
			{ name: 'Cancel_order', arguments: { toolParameters, ...more } },
		];
		// n8n wraps the fields of a tool that needs approval.
		const server = await startRuleServer([
			{ last: 'tool', contains: '4711 is cancelled', says: 'Done, it is off the list.' },
			{ last: 'tool', contains: '4712 is cancelled', says: 'That one, too.' },
			{ contains: '4712', says: cancelled({ input: 'order 4712' }) },
			{ says: cancelled({ input: 'order 4711' }, { hitlParameters: {} }) },
		]);
		const wiring = { local: await localCredential(server), model: MODEL };
		const change = { 'When chat message received': { mode: 'hostedChat' } };
		const workflow = await activated('approve-tool-call', { ...wiring, change });
		const [question, answer] = await pressing(workflow, 'Please cancel order 4711.', 'Approve');
		expect(question).toContain('order 4711');
		expect(answer).toBe('Done, it is off the list.');
		// Without n8n's own arguments.
		const [next, last] = await pressing(workflow, 'Please cancel order 4712.', 'Approve');
		expect(next).toContain('order 4712');
		expect(last).toBe('That one, too.');
		const chats = server.requests.filter(({ path: url }) => url.endsWith('/chat/completions'));
		expect(chats).toHaveLength(4);
		expect(JSON.stringify(chats)).not.toContain('is missing required arguments');
		return answer!;
	},

	'token-budget-per-user': async () => {
		const credential = await stored(WEBHOOK_CREDENTIALS.jwtAuth);
		const left = example('token-budget-per-user').nodes.find(({ name }) => name === 'Left')!;
		// The first response takes more than that.
		const small = JSON.parse(JSON.stringify(left.parameters).replace('20000', '5')) as object;
		const workflow = await activated('token-budget-per-user', {
			...(await modelOf([{ says: 'The answer is 42.' }])),
			others: { Ask: { type: 'jwtAuth', credential } },
			change: { Left: { ...small } },
		});
		await theN8n().waitForExecution(await theN8n().runWorkflow(workflow, 'Table setup'));
		const ask = async (user: string) =>
			await theN8n().webhook('ask-with-budget', {
				headers: tokenOf(user),
				body: { question: 'What is the answer?' },
			});
		expect(await (await ask('anna')).json()).toMatchObject({ answer: 'The answer is 42.' });
		expect((await ask('anna')).status).toBe(429);
		return 'anna: 200, 429';
	},

	'classify-and-route-email': async () => {
		const wiring = await modelOf([
			{ contains: 'hinge I got', says: 'A' },
			{ contains: 'Invoice 4711', says: 'B' },
			{ contains: 'barn door', says: 'C' },
			{ says: 'D' },
		]);
		const execution = await runExample('classify-and-route-email', wiring);
		expect(rowsOf(execution, 'To support')).toMatchObject([{ subject: 'Broken hinge' }]);
		expect(itemsOf(execution, 'To bookkeeping')).toMatchObject([{ subject: 'Invoice 4711' }]);
		expect(itemsOf(execution, 'To sales')).toMatchObject([{ from: 'otto@example.net' }]);
		expect(itemsOf(execution, 'A person decides')).toMatchObject([{ subject: 'YOU HAVE WON' }]);
		return 'support, bookkeeping, sales, and one for a person';
	},

	'decide-and-route-email': async () => {
		const sim = await startLlamaServerSim({ decisions: true });
		after(async () => await sim.close());
		const wiring = { local: await localCredential(sim), model: MODEL };
		const execution = await runExample('decide-and-route-email', wiring);
		expect(rowsOf(execution, 'To workshop')).toMatchObject([{ subject: 'Broken hinge' }]);
		expect(itemsOf(execution, 'To bookkeeping')).toMatchObject([{ subject: 'Invoice 4711' }]);
		expect(itemsOf(execution, 'To sales')).toMatchObject([{ from: 'otto@example.net' }]);
		expect(itemsOf(execution, 'A person decides')).toMatchObject([
			{ subject: 'Last summer', decision: { team: 'repair', refund: false } },
		]);
		// The simulated model gives 0.25 to each refund: the team is sure, and a person decides.
		const { parameters } = example('decide-and-route-email').nodes.find(
			({ name }) => name === 'Which team?',
		)!;
		const cautious = { options: { ...(parameters.options as object), threshold: 0.2 } };
		const change = { 'Which team?': cautious };
		const refunds = await runExample('decide-and-route-email', { ...wiring, change });
		expect(rowsOf(refunds, 'A person decides')).toHaveLength(4);
		return 'workshop, bookkeeping, sales, and one for a person';
	},

	'extract-invoices': async () => {
		const invoice = (supplier: string, currency: string, net: number, tax: number, total: number) =>
			JSON.stringify({
				...{ supplier, number: '1', date: '2026-03-03', due: null, currency },
				...{ net, tax, total },
			});
		const wiring = await modelOf([
			{ contains: 'Berg & Sons', says: invoice('Berg & Sons', 'EUR', 100, 19, 119) },
			{ contains: 'ACME Ltd', says: invoice('ACME Ltd', 'USD', 500, 0, 500) },
			{ says: invoice('Initech', 'EUR', 10, 1.9, 12.9) },
		]);
		const execution = await runExample('extract-invoices', wiring);
		const suppliers = (node: string) => rowsOf(execution, node).map(({ supplier }) => supplier);
		expect(suppliers('Book')).toEqual(['Berg & Sons', 'ACME Ltd']);
		expect(suppliers('Check by hand')).toEqual(['Initech']);
		return '2 booked, 1 whose sums do not fit';
	},

	'rag-over-folder': async () => {
		const folder = folderOf('knowledge');
		fs.writeFileSync(path.join(folder, 'opening.md'), 'A cat sits on the mat from 9 to 5.');
		const chat = await startRuleServer([
			{ last: 'tool', says: 'On the mat, says opening.md.' },
			{ says: [{ name: 'Knowledge', arguments: { input: 'Where does the cat sit?' } }] },
		]);
		const embeddings = await startRuleServer([], { embeddings: true });
		const reranker = await startRuleServer([], { rerank: true });
		const workflow = await activated('rag-over-folder', {
			local: {
				'Local Chat Model': await localCredential(chat, 'Chat'),
				'Local Embeddings': await localCredential(embeddings, 'Embeddings'),
				'Local Reranker': await localCredential(reranker, 'Reranker'),
			},
			model: {
				'Local Chat Model': MODEL,
				'Local Embeddings': MODEL,
				'Local Reranker': MODEL,
			},
			change: { 'Read the folder': { fileSelector: `${folder}/*.md`, options: {} } },
		});
		const filled = await theN8n().waitForExecution(await theN8n().runWorkflow(workflow, 'Start'));
		expect(rowsOf(filled, 'Store')).toHaveLength(1);
		const answer = await sendChatMessage(workflow, 'Where does the cat sit?');
		const prompts = promptsOf(await lastExecution(workflow.id), 'Local Chat Model');
		expect(prompts).toContain('A cat sits on the mat');
		return answer;
	},

	'transcribe-and-summarize': async () => {
		const whisper = await startWhisperSim({
			segments: [{ text: ' We meet on Monday.', start: 0, end: 2 }],
		});
		after(async () => await whisper.close());
		const writer = await startRuleServer([
			{ contains: 'We meet on Monday.', says: 'They meet on Monday.' },
		]);
		const workflow = await activated('transcribe-and-summarize', {
			local: {
				Transcribe: await localCredential(whisper, 'Hears'),
				Summarize: await localCredential(writer, 'Writes'),
			},
			model: { Summarize: MODEL },
		});
		const bytes = Buffer.concat([Buffer.from('ID3\x04\0\0'), Buffer.alloc(3000)]);
		const upload = { name: 'meeting.mp3', type: 'audio/mpeg', bytes };
		expect(await submitted(workflow, [upload])).toContain('They meet on Monday.');
		return 'They meet on Monday.';
	},

	'speak-an-answer': async () => {
		const kokoro = await startKokoroSim();
		after(async () => await kokoro.close());
		const writer = await startRuleServer([{ says: 'Because of its air.' }]);
		const workflow = await activated('speak-an-answer', {
			local: {
				Answer: await localCredential(writer, 'Writes'),
				Speak: await localCredential(kokoro, 'Speaks'),
			},
			model: { Answer: MODEL },
		});
		await submittedForm(workflow, ['Why is the sky blue?']);
		const [sound] = rowsOf(await lastExecution(workflow.id), 'Speak');
		const speech = { fileName: 'speech.mp3', mimeType: 'audio/mpeg' };
		expect(sound).toMatchObject({ output: 'Because of its air.', audio: speech });
		return speech.fileName;
	},

	'images-by-form': async () => {
		const painter = await startSdServerSim();
		after(async () => await painter.close());
		const workflow = await activated('images-by-form', { local: await localCredential(painter) });
		await submittedForm(workflow, ['A fox in the snow', '512x512']);
		const [picture] = rowsOf(await lastExecution(workflow.id), 'Draw');
		const image = { fileName: 'image.png', mimeType: 'image/png' };
		expect(picture).toMatchObject({ output: image });
		return image.fileName;
	},

	'overnight-batch': async () => {
		const { local } = await modelOf([{ says: 'Four bees live on the roof.' }]);
		const workflow = await theN8n().createWorkflow(example('overnight-batch', { local }));
		const run = async (trigger: string) =>
			await theN8n().waitForExecution(await theN8n().runWorkflow(workflow, trigger));
		await run('Table setup');
		const rows = rowsOf(await run('Start'), 'Write');
		expect(rows.map(({ state }) => state)).toEqual(['done', 'done', 'done', 'done']);
		expect(rowsOf(await run('Start'), 'Next rows')).toEqual([]);
		return `${rows.length} rows`;
	},

	'health-watch': async () => {
		const execution = await startedFrom('Five-minute schedule', 'health-watch', {
			local: await localCredential({ url: 'http://127.0.0.1:9' }),
		});
		const [message] = rowsOf(execution, 'Send message');
		expect(message).toMatchObject({ status: 'unreachable' });
		return String(message!.title);
	},

	'weekly-server-report': async () => {
		// With real words: noise is reported as broken.
		const text = 'All is well here, and nothing is broken. '.repeat(40);
		const sim = await startRuleServer([{ says: text }], { tokenDelayMs: 1 });
		const { port, mails } = await mailServer();
		const execution = await startedFrom('Monday schedule', 'weekly-server-report', {
			local: await localCredential(sim),
			others: { 'Send email': { type: 'smtp', credential: await stored(smtpCredential(port)) } },
		});
		const [report] = rowsOf(execution, 'Report');
		expect(mails).toHaveLength(1);
		expect(mails[0]).toContain('Subject: Weekly server report: ');
		expect(mails[0]).toContain('filename=server-health.html');
		return String(report!.summary);
	},

	'wait-for-model': async () => {
		// Connections before the model is ready are refused.
		let isAsked = () => {};
		const asking = new Promise<void>((resolve) => (isAsked = resolve));
		const closedServer = await startTcpServer((socket) => {
			socket.on('error', () => {});
			socket.destroy();
			isAsked();
		});
		const credential = await stored(WEBHOOK_CREDENTIALS.httpHeaderAuth);
		const workflow = await activated('wait-for-model', {
			others: { 'Model restarted': { type: 'httpHeaderAuth', credential } },
			local: await localCredential({ url: `http://127.0.0.1:${closedServer.port}` }),
			model: MODEL,
		});
		const headers = { 'X-Restart-Key': 'a long random value' };
		await theN8n().webhook('model-restarted', { headers, body: {} });
		await asking;
		await closedServer.close();
		await startRuleServer([{ says: 'I am ready.' }], { port: closedServer.port });
		const execution = await lastExecution(workflow.id);
		expect(rowsOf(execution, 'First run')).toEqual([{ text: 'I am ready.' }]);
		return 'I am ready.';
	},

	'local-first-dify-fallback': async () => {
		const sim = await appOf('chat', { reply: () => ({ steps: [{ text: 'Dify answers.' }] }) });
		const server = await startRuleServer([{ says: 'The local model answers.' }]);
		const workflow = await activated('local-first-dify-fallback', {
			local: await localCredential(server),
			dify: await difyCredential(sim),
			model: MODEL,
		});
		expect(await sendChatMessage(workflow, 'Who answers?', 'ben')).toBe('The local model answers.');
		await server.close();
		const answer = await sendChatMessage(workflow, 'And now?', 'ben');
		expect(answer).toBe('Dify answers.');
		return answer;
	},

	'agent-with-dify-tool': async () => {
		const sim = await appOf('chat', { reply: () => ({ steps: [{ text: 'From 9 to 5.' }] }) });
		const workflow = await activated('agent-with-dify-tool', {
			...(await modelOf([
				{ last: 'tool', says: 'The shop is open from 9 to 5.' },
				{ says: [{ name: 'Company_knowledge', arguments: { question: 'When?' } }] },
			])),
			dify: await difyCredential(sim),
		});
		const answer = await sendChatMessage(workflow, 'When can I come?', 'cleo');
		// Without the text of the tool.
		expect(answer).toBe('The shop is open from 9 to 5.');
		expect(sim.runs).toMatchObject([{ query: 'When?', user: 'cleo' }]);
		return answer;
	},

	'agent-with-dify-knowledge': async () => {
		const wiring = await modelOf([
			{ last: 'tool', contains: 'in the Andes', says: 'In the Andes, says llama.txt.' },
			{ says: [{ name: 'Company_handbook', arguments: { query: 'where llama lives' } }] },
		]);
		const workflow = await activated('agent-with-dify-knowledge', {
			...wiring,
			...(await animals()),
		});
		const answer = await sendChatMessage(workflow, 'Where does the llama live?');
		expect(answer).toBe('In the Andes, says llama.txt.');
		return answer;
	},

	'qa-with-dify-retriever': async () => {
		const wiring = await modelOf([{ says: 'High in the Andes.' }]);
		const workflow = await activated('qa-with-dify-retriever', { ...wiring, ...(await animals()) });
		expect(await fetchChatResponse(workflow, 'where does the llama live')).toEqual({
			output: 'High in the Andes.',
		});
		return 'High in the Andes.';
	},

	'n8n-as-dify-knowledge': async () => {
		const sim = await startLlamaServerSim({ embeddings: { dimensions: 64 } });
		after(async () => await sim.close());
		const headers = { authorization: 'Bearer ek-secret' };
		const credential = await stored({
			name: 'Key of Dify',
			type: 'httpHeaderAuth',
			data: { name: 'Authorization', value: headers.authorization },
		});
		const workflow = await activated('n8n-as-dify-knowledge', {
			local: await localCredential(sim),
			model: MODEL,
			others: { 'Dify asks': { type: 'httpHeaderAuth', credential } },
		});
		await theN8n().waitForExecution(await theN8n().runWorkflow(workflow, 'Start'));
		const body = {
			knowledge_id: 'any',
			query: 'When are you open?',
			retrieval_setting: { top_k: 2, score_threshold: 0 },
		};
		const answer = await theN8n().webhook('dify/retrieval', { headers, body });
		const { records } = (await answer.json()) as { records: Array<{ title: string }> };
		expect(records).toHaveLength(2);
		expect((await theN8n().webhook('dify/retrieval', { body })).status).toBe(403);
		return records.map(({ title }) => title).join(', ');
	},

	'folder-to-dify-knowledge': async () => {
		const folder = folderOf('handbook');
		for (const name of ['a.md', 'b.txt'])
			fs.writeFileSync(path.join(folder, name), `Text of ${name}`);
		const sim = await dify();
		const base = addDataset(sim.store, { name: 'Handbook', technique: 'high_quality' });
		const wiring = {
			dify: await difyKey(sim, knowledgeKey(), 'knowledge'),
			knowledgeBase: base.id,
			change: { 'Read the folder': { fileSelector: `${folder}/**/*.{md,txt}` } },
		};
		const report = async () =>
			rowsOf(await runExample('folder-to-dify-knowledge', wiring), 'Write the report')[0]!;
		expect(await report()).toMatchObject({ counts: { created: 2 } });
		expect(await report()).toMatchObject({ counts: { unchanged: 2 } });
		expect(receivedFiles(sim)).toEqual([
			{ name: 'a.md', type: 'text/markdown', bytes: 'Text of a.md' },
			{ name: 'b.txt', type: 'text/plain', bytes: 'Text of b.txt' },
		]);
		return '2 created, 2 unchanged';
	},

	'dify-chat-streamed': async () => {
		const sim = await appOf('chat', {
			reply: ({ query }) => ({ steps: [{ text: 'You said: ' }, { text: query }] }),
		});
		const workflow = await activated('dify-chat-streamed', { dify: await difyCredential(sim) });
		await sendChatMessage(workflow, 'one', 'anna');
		expect(await sendChatMessage(workflow, 'two', 'anna')).toBe('You said: two');
		expect(sim.runs[1]!.conversationId).toBe(sim.runs[0]!.conversationId);
		return 'You said: two';
	},

	'dify-chat-with-feedback': async () => {
		const sim = await dify();
		const credential = await stored(WEBHOOK_CREDENTIALS.jwtAuth);
		const others = {
			Ask: { type: 'jwtAuth', credential },
			Rate: { type: 'jwtAuth', credential },
		} as const;
		await activated('dify-chat-with-feedback', { dify: await difyCredential(sim), others });
		const post = async (hook: string, user: string, body: Record<string, unknown>) =>
			await theN8n().webhook(hook, { headers: tokenOf(user), body });
		const asking = await post('dify-ask', 'anna', { question: 'Hello' });
		// Visitors do not get chunks of documents and prices.
		const { messageId, ...rest } = (await asking.json()) as Record<string, string>;
		expect(Object.keys(rest).sort()).toEqual(['answer', 'conversationId']);
		const rating = { messageId, user: 'anna', rating: 'dislike', text: 'Too short' };
		// The user is not taken from the body.
		expect((await post('dify-rate', 'eve', rating)).ok).toBe(false);
		expect((await post('dify-rate', 'anna', rating)).status).toBe(200);
		expect(sim.app('chat').feedbacks).toMatchObject([{ rating: 'dislike', content: 'Too short' }]);
		return rest.answer!;
	},

	'dify-with-file': async () => {
		const sim = await appOf('chat', {
			fileUpload: { enabled: true, types: ['document', 'image'], number: 3 },
			reply: () => ({ steps: [{ text: 'It is a short note.' }] }),
		});
		const workflow = await activated('dify-with-file', { dify: await difyCredential(sim) });
		const note = { name: 'note.txt', type: 'text/plain', bytes: 'Buy milk.' };
		expect(await submitted(workflow, [note, ''])).toContain('It is a short note.');
		// A download without an ending, and a photo under the name of another format
		const paper = { name: 'download', type: 'application/octet-stream', bytes: '%PDF-1.7\n' };
		const photo = { name: 'photo.jpg', type: 'image/jpeg', bytes: '\x89PNG\r\n\x1a\n' };
		for (const { bytes, ...file } of [paper, photo]) {
			const upload = { ...file, bytes: Buffer.from(bytes, 'latin1') };
			expect(await submitted(workflow, [upload, ''])).toContain('It is a short note.');
		}
		expect(receivedFiles(sim)).toEqual([
			note,
			{ ...paper, name: 'download.pdf', type: 'application/pdf' },
			{ ...photo, name: 'photo.png', type: 'image/png' },
		]);
		expect(sim.runs.map(({ files }) => files.map(({ type }) => type))).toEqual([
			['document'],
			['document'],
			['image'],
		]);
		return 'It is a short note.';
	},

	'dify-questions-from-table': async () => {
		const error = {
			code: 'completion_request_error',
			message: 'The model is unavailable',
			status: 400,
		};
		const sim = await appOf('chat', {
			reply: ({ query }) => ({
				steps: query.includes('plans') ? [{ error }] : [{ text: `About: ${query}` }],
			}),
		});
		const wiring = { dify: await difyCredential(sim) };
		const execution = await runExample('dify-questions-from-table', wiring);
		expect(rowsOf(execution, 'Answered')).toHaveLength(3);
		expect(rowsOf(execution, 'Failed')).toMatchObject([{ question: 'Which plans are there?' }]);
		return '3 answered, 1 kept as failed';
	},

	'dify-workflow-batch': async () => {
		const sim = await appOf('workflow', {
			form: [{ kind: 'paragraph', variable: 'text', required: true }],
			reply: ({ inputs: { text } }) => ({
				steps: [{ node: { id: 'start', type: 'start', title: 'Start' } }],
				...(text === 'Where is my invoice?'
					? { fail: 'The model is unavailable' }
					: { outputs: { label: `on ${String(text)}` } }),
			}),
		});
		const wiring = { dify: await difyKey(sim, appKey('workflow')) };
		const rows = rowsOf(await runExample('dify-workflow-batch', wiring), 'All rows');
		expect(rows.map(({ status }) => status)).toEqual(['succeeded', 'succeeded', 'failed']);
		return '2 succeeded, 1 failed';
	},

	'dify-workflow-approval': async () => {
		const review = {
			nodeId: 'review',
			nodeTitle: 'Review',
			content: 'A draft about lamps. Comment: {{#$output.comment#}}',
			inputs: [{ type: 'paragraph', output_variable_name: 'comment' }],
			actions: [
				{ id: 'approve', title: 'Publish' },
				{ id: 'reject', title: 'Throw away' },
			],
		};
		const sim = await appOf('workflow', {
			reply: () => ({
				steps: [{ node: { id: 'start', type: 'start', title: 'Start' } }, { pause: [review] }],
				outputs: { result: 'over' },
			}),
		});
		const { port, mails } = await mailServer();
		const smtp = { type: 'smtp' as const, credential: await stored(smtpCredential(port)) };
		const wiring = {
			dify: await difyKey(sim, appKey('workflow')),
			others: { 'Ask by email': smtp },
			change: { 'Answer the form': { values: '{ "comment": "Fine" }' } },
		};
		const workflow = await theN8n().createWorkflow(example('dify-workflow-approval', wiring));
		await theN8n().runWorkflow(workflow, 'Start');
		expect((await lastExecution(workflow.id)).status).toBe('waiting');
		const mail = unfolded(mails.at(-1)!);
		expect(mail).toContain('A draft about lamps. Comment: [comment]');
		const links = [...mail.matchAll(/href="([^"]+)"/g)];
		const approval = links.map(([, link]) => link!).find((link) => link.includes('approved=true'))!;
		// n8n treats links that programs open as previews of a mail server.
		const browser =
			'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36';
		await fetch(approval.replace(/^https?:\/\/[^/]+/, theN8n().url), {
			headers: { 'user-agent': browser },
		});
		const execution = await until(
			async () => await lastExecution(workflow.id),
			({ status }) => status !== 'waiting',
		);
		expect(rowsOf(execution, 'Result')).toEqual([
			{ status: 'succeeded', outputs: { result: 'over' } },
		]);
		return 'published';
	},
};

describeExamples(
	EXAMPLES.filter((name) => !RUN_IN_FULL.includes(name)),
	RUNS,
	shareN8n,
);
